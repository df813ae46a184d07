"""Collects orders that nothing asks for any more, before their addresses expire."""

from __future__ import annotations

from msgspec import Struct

from flux2build.ledger import Intended
from flux2build.model import Bought
from flux2build.providers.contract import Refusal, Refused, Ticket
from flux2build.purchasing import order_errors
from flux2build.purchasing.collecting import Collector
from flux2build.purchasing.http import Overdue, Turn


class UnaskedOrders(Struct, frozen=True):
    """Collects such orders at one provider: into the store and the ledger, at no cost."""

    collector: Collector
    account: str
    """A fingerprint of the key, with which only its own account's orders are surely found."""

    async def collect(self, order: Intended, turn: Turn | None = None) -> Bought | None:
        """Collect an order, unless another build is working on it or has settled it.

        An order that the server has certainly lost is noted as lost, and not asked for again.

        Raises:
            DecisionError: it is lost, or differs from its order: a person must decide.
            Flux2BuildError: it is refused, or not here yet.
        """
        books = self.collector.books
        with books.journal.claims.free(order.order) as free:
            pending = books.about(order.order).pending.get(order.order) if free else None
            if pending is None:
                return None
            intended, ticketed = pending
            return await self._collected(intended, self.collector.ticket(ticketed), turn)

    async def _collected(self, intended: Intended, ticket: Ticket, turn: Turn | None) -> Bought:
        asset, provider = intended.asset, self.collector.client.provider
        work = self.collector.collect(intended, ticket, asset, intended.expected, turn)
        ended = await work
        match ended:
            case Bought():
                return ended
            case Refused(refusal=Refusal.LOST, message=message) | Overdue(message, gone=True):
                if not self._sure(intended, ticket):
                    unsure = f"{message}; another key or address was asked than it was ordered with"
                    raise order_errors.overdue(asset, ticket, unsure, decide=False)
                loss = Refused(Refusal.LOST, message, charged=True)
                await self.collector.books.voided(intended, loss)
                raise order_errors.lost(asset, ticket, message)
            case Refused():
                raise order_errors.refusal(provider.name, asset, ended, provider.key_variable)
            case Overdue(message, keyless=True):
                raise order_errors.uncollected(asset, ticket, message, provider.key_variable)
            case Overdue(message, decide, untrusted=untrusted):
                raise order_errors.overdue(
                    asset, ticket, message, decide=decide, untrusted=untrusted
                )

    def _sure(self, intended: Intended, ticket: Ticket) -> bool:
        """Whether the account that placed the order was asked, at the address of its ticket."""
        client = self.collector.client
        asked = client.provider.inquiry(ticket, client.endpoint).url
        return intended.account == self.account and asked == ticket.poll
