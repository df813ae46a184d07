"""Collects orders: asks until a picture is ready, then fetches, stores, compares and notes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from flux2build.digest import Json
from flux2build.errors import SystemFault, one_line
from flux2build.ledger import Intended, Ticketed
from flux2build.model import Bought, Receipt
from flux2build.providers.contract import Refusal, Refused, Ticket, Waiting
from flux2build.purchasing import order_errors
from flux2build.purchasing.bookkeeping import Bookkeeping
from flux2build.purchasing.http import Arrived, Client, Overdue, Turn
from flux2build.purchasing.verification import verify_picture, verify_seed


class Collector(Struct, frozen=True):
    """Collects pending orders at one provider; the caller holds the lock on the order."""

    client: Client
    books: Bookkeeping

    def ticket(self, ticketed: Ticketed) -> Ticket:
        """The ticket in the ledger; a ticket of an earlier version may contain the key."""
        return self.client.fit(Ticket(ticketed.task, ticketed.poll, ticketed.cost))

    async def collect(
        self,
        intended: Intended,
        ticket: Ticket,
        asset: str,
        ordered: Mapping[str, Json],
        turn: Turn | None = None,
    ) -> Bought | Refused | Overdue:
        """Collect the picture of a pending order for an asset, and compare it with the order.

        A refusal is in the ledger already, except for a loss, whose ticket stays valid.

        Raises:
            DecisionError: it differs from its order, and is kept aside.
            SystemFault: it could not be kept in the store.
        """
        ended = await self.client.collect(ticket, self._report(asset), turn)
        if isinstance(ended, Arrived):
            receipt = _receipt(intended, ticket, ended)
            return await self._deliver(intended, receipt, ended, asset, ordered)
        if isinstance(ended, Overdue):
            await self.books.overdue(intended, one_line(ended.message))
        if isinstance(ended, Refused) and ended.refusal is not Refusal.LOST:
            await self.books.voided(intended, ended)
        return ended

    def _report(self, asset: str) -> Callable[[Waiting], None]:
        """Print each new state of an asset's order at the server."""
        last = ""

        def report(waiting: Waiting) -> None:
            nonlocal last
            if waiting.status != last:
                self.books.detail(f"{asset}: {waiting.status}")
            last = waiting.status

        return report

    async def _deliver(
        self,
        intended: Intended,
        receipt: Receipt,
        arrived: Arrived,
        asset: str,
        ordered: Mapping[str, Json],
    ) -> Bought:
        """Keep the paid picture first, then compare it with its order."""
        self.books.settled(intended, receipt)
        if (count := arrived.ready.pictures) > 1:
            self.books.say(
                f"warning: {count} pictures came for one order of `{asset}`; the first one is kept"
            )

        def verify(data: bytes) -> None:
            verify_seed(asset, ordered, arrived.ready.seed)
            with order_errors.failing_alone(asset):
                verify_picture(asset, ordered, data)

        try:
            stored = await self.books.keeping.put(arrived.data, verify)
        except SystemFault as fault:
            raise order_errors.not_kept(asset, receipt.task, fault) from fault
        if (wrong := stored.wrong) is not None:
            await self.books.kept(intended, stored, receipt, wrong)
            raise order_errors.kept_aside(asset, stored.digest, receipt.task, wrong) from wrong
        untold = await self.books.delivered(intended, asset, stored, receipt)
        if untold is not None:
            raise order_errors.spooled(asset, intended, stored.path, stored.digest, untold)
        return Bought(stored.digest, receipt)


def _receipt(intended: Intended, ticket: Ticket, arrived: Arrived) -> Receipt:
    """The proof, with the best figure there is: settled, else submitted, else estimated."""
    ready = arrived.ready
    cost, source = intended.reserve, "estimated"
    if ready.cost is not None:
        cost, source = ready.cost, "settled"
    elif ticket.cost is not None:
        cost, source = ticket.cost, "submitted"
    return Receipt(
        provider=intended.provider,
        task=ticket.task,
        cost=cost,
        cost_source=source,
        seed=ready.seed,
        prompt=ready.prompt,
    )
