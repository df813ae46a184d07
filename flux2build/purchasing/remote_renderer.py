"""Buys from a paid provider: every order is written down before it is sent.

intended (synced) -> POST -> ticketed (synced) -> poll, fetch -> store -> delivered. If it stops in
between, the next run continues from there: without a ticket it asks a person, with one it collects
the picture, and a delivered picture is adopted.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError, HaltedError, SpecError, SystemFault
from flux2build.images.decode import probe_still
from flux2build.ledger import Intended
from flux2build.model import Bought, Order, Recipe
from flux2build.planning.reason import ReasonCode
from flux2build.planning.verdict import MODERATED
from flux2build.providers.capabilities import Card
from flux2build.providers.contract import InDoubt, Reference, Refusal, Refused, Ticket
from flux2build.providers.references import misfits, prepared
from flux2build.purchasing import evidence, order_errors
from flux2build.purchasing.bookkeeping import Bookkeeping
from flux2build.purchasing.collecting import Collector
from flux2build.purchasing.http import Client, Overdue, Turn
from flux2build.purchasing.renderer import LoadReferences
from flux2build.purchasing.webhooks import Webhooks
from flux2build.storage import durable, locks
from flux2build.storage.store import Store

if TYPE_CHECKING:
    from flux2build.purchasing.teamwork import Teamwork

_HALTING: Final = frozenset({Refusal.CREDITS, Refusal.CREDENTIALS, Refusal.UNTRUSTED})
"""Refusals after which no other order can succeed either."""

_WAITED_OUT: Final = frozenset({Refusal.UNREACHABLE, Refusal.RATE_LIMITED})
"""Refusals that were retried until the patience ended."""

_DOUBTS: Final = 5
"""Orders in a row that may fall in doubt before the build sends no more."""

_LAST_WORD: Final = 1.0
"""Seconds for the answer to an order that was sent, once a build is to end at once."""

_CLAIM_SECONDS: Final = 0.2
"""Seconds between two looks at an order that another process is buying."""


@dataclass(slots=True)
class RemoteRenderer:
    """Buys at one provider, within a budget; paid pictures are always collected.

    Implements `renderer.Renderer`.
    """

    client: Client
    books: Bookkeeping
    price: Callable[[Recipe], Decimal | None]
    """The most that an order may cost in USD; None if it is unknown."""
    cards: Mapping[str, Card]
    account: str = ""
    """A fingerprint of the key; empty when there is none."""
    forced: frozenset[str] = frozenset()
    """Assets that are bought again although their order was delivered or moderated."""
    webhooks: Webhooks | None = None
    """The user's webhooks for callbacks."""
    refusal: Flux2BuildError | None = None
    """The reason why no order can be sent; earlier ones are still collected."""
    team: Teamwork | None = None
    """Keeps other machines from buying the same orders; None without a team."""
    _doubts: int = field(default=0, init=False)
    _locks: bool = field(default=False, init=False)
    """Whether locks are known to work on the disk where the ledger lies."""

    async def buy(self, order: Order, recipe: Recipe, references: LoadReferences) -> Bought:
        """Buy an order, or collect it if it was bought before.

        Raises:
            DecisionError: it may have been bought already, or differs from its order.
            BudgetError: it would exceed a cap, or the account is empty.
            SystemFault: the key, the connection or the disk fails.
            HaltedError: the build was halted before it was ordered.
            IncompleteError: it was refused.
            SpecError: its references are not fit to be sent.
        """
        try:
            return await self._in_turn(order, recipe, references)
        finally:
            if self.team is not None:
                self.team.tell(order.digest)

    async def _in_turn(self, order: Order, recipe: Recipe, references: LoadReferences) -> Bought:
        """Buy an order or collect it, once no other build works on it."""
        waits = False
        while True:
            async with self.client.turn() as turn:
                # Another build of the same user, in another tree, may be buying this order.
                try:
                    claim = self._claim(order.digest)
                except SystemFault:
                    if (bought := await self._pending(order, recipe, turn)) is None:
                        raise
                    return bought
                if claim is not None:
                    try:
                        bought = await self._bought(order, recipe, references, turn)
                    finally:
                        locks.release(claim)
                    if bought is not None:
                        return bought
            if self.client.halt.is_set():
                raise HaltedError
            if claim is not None and self.team is not None:
                await self.team.wait(order, recipe)
                continue
            if not waits:
                waits = True
                self.books.say(f"waiting for another build that buys {recipe.asset}")
            await asyncio.sleep(_CLAIM_SECONDS)

    def unsettled(self, order: Digest) -> bool:
        """Whether an order is pending, kept aside or in doubt, or was bought in this build."""
        return self.books.unsettled(order)

    def _claim(self, order: Digest) -> int | None:
        """A file lock on one order; None while another process holds it."""
        claim, path = self.books.journal.claims.take(order), self.books.journal.claims.path(order)
        if claim is None or self._locks:
            return claim
        try:
            self._locks = locks.keeps_out(path)
        except OSError as error:
            os.close(claim)
            raise durable.fault("lock", path, error) from error
        if not self._locks:
            os.close(claim)
            raise order_errors.lockless(path.parent)
        return claim

    async def _bought(
        self, order: Order, recipe: Recipe, references: LoadReferences, turn: Turn
    ) -> Bought | None:
        """Buy an order or collect it, as the ledger says; None if another machine is buying it."""
        # This comes first: if there is an older picture, too, this one was bought anew.
        if (bought := await self._pending(order, recipe, turn)) is not None:
            return bought
        ledger = self.books.about(*order.names)
        forced = recipe.asset in self.forced
        if order.digest in ledger.kept:
            raise order_errors.undecided(recipe, ReasonCode.KEPT_ASIDE)
        if order.digest in ledger.lost:
            raise order_errors.undecided(recipe, ReasonCode.LOST)
        if order.digest in ledger.doubts:
            raise order_errors.in_doubt(ledger.doubts[order.digest])
        delivered = ledger.delivered.get(order.digest)
        if delivered is not None and not forced and self._store.has(delivered.output):
            return Bought(delivered.output, delivered.receipt)
        if (paid := ledger.paid.get(order.digest)) is not None and not forced:
            raise order_errors.paid_for(recipe, paid.output, paid.receipt, paid.attempt)
        refused = ledger.refusals.get(order.digest)
        if refused is not None and refused.refusal in MODERATED and not forced:
            raise order_errors.undecided(recipe, ReasonCode.MODERATED)
        await self._check_ready(recipe)
        journal = self.books.journal
        unrecorded = (evidence.unrecorded(journal, self._store, name) for name in order.names)
        if not forced and any(unrecorded):
            raise order_errors.undecided(recipe, ReasonCode.UNRECORDED)
        return await self._newly_bought(order, recipe, references, turn, forced=forced)

    async def _newly_bought(
        self,
        order: Order,
        recipe: Recipe,
        references: LoadReferences,
        turn: Turn,
        *,
        forced: bool,
    ) -> Bought | None:
        """Buy an order that is new to this machine; None if another one is buying it."""
        if self.team is not None:
            ours = await self.team.turn(order, recipe, self.account, forced=forced)
            if ours is not True:
                return ours or None
        intended, placed = await self._order(order, recipe, references, turn)
        if isinstance(placed, Ticket):
            return await self._collect(order, recipe, intended, placed, turn)
        return placed

    async def _pending(self, order: Order, recipe: Recipe, turn: Turn) -> Bought | None:
        """Collect a pending order, which is free and so needs no claim."""
        pending = self.books.about(*order.names).pending.get(order.digest)
        if pending is None:
            return None
        intended, ticketed = pending
        ticket = Collector(self.client, self.books).ticket(ticketed)
        if intended.provider != self.client.provider.name:
            raise order_errors.ordered_elsewhere(recipe, intended, ticket.task)
        if self.team is not None:
            await self.team.collecting(order, intended.attempt)
        return await self._collect(order, recipe, intended, ticket, turn)

    async def _order(
        self, order: Order, recipe: Recipe, references: LoadReferences, turn: Turn
    ) -> tuple[Intended, Ticket | Bought | None]:
        """Place an order, after checking everything that can be checked ahead.

        If another machine has claimed it, nothing is placed here.
        """
        if not self.account:
            variable = self.client.provider.key_variable
            self.refusal = order_errors.keyless(f"`{variable}` is not set", variable)
            raise self.refusal
        worst = self.price(recipe)
        if worst is None:
            raise order_errors.unpriced(recipe)
        provider = self.client.provider.name
        intended = self.books.intention(order, recipe, provider, self.account, worst)
        sent = await self._prepared(order, recipe, references)
        await turn.pend()
        await self._check_ready(recipe)
        self.books.reserve(intended)
        # Ctrl-C at this point would leave a purchase in doubt, so it waits a while for the answer.
        window = asyncio.ensure_future(self._window(order, recipe, intended, sent))
        try:
            return intended, await asyncio.shield(window)
        except asyncio.CancelledError:
            self.client.halt.set()
            await asyncio.wait([window], timeout=_LAST_WORD)
            window.cancel()
            await asyncio.gather(window, return_exceptions=True)
            raise

    @property
    def _store(self) -> Store:
        return self.books.keeping.store

    async def _check_ready(self, recipe: Recipe) -> None:
        """Stop if the build is halted, no other order can succeed, or no picture can be kept."""
        self._check_halted(recipe)
        try:
            await self.books.keeping.prove()
        except SystemFault as fault:
            self.refusal = fault
            raise order_errors.unready(recipe, fault) from fault
        self._check_halted(recipe)

    def _check_halted(self, recipe: Recipe) -> None:
        """Stop if the build is halted, or no other order can succeed."""
        if self.client.halt.is_set():
            raise HaltedError
        if self.refusal is not None:
            raise order_errors.not_ordered(recipe, self.refusal)

    async def _prepared(
        self, order: Order, recipe: Recipe, references: LoadReferences
    ) -> Sequence[Reference | str]:
        """The references as they are sent."""
        card = self.cards[order.model]
        loaded = await references()
        with order_errors.failing_alone(recipe.output, *recipe.inputs):
            named = [(each.name, await asyncio.to_thread(_size, each)) for each in loaded]
            if wrong := [problem for _, problem in misfits(card, order.params, named)]:
                raise SpecError(*wrong)
            ready = [await asyncio.to_thread(prepared, each, card) for each in loaded]
        sent = await self.client.prepare(ready)
        if isinstance(sent, Refused):
            raise self._refused(recipe, sent)
        return sent

    async def _window(
        self, order: Order, recipe: Recipe, intended: Intended, sent: Sequence[Reference | str]
    ) -> Ticket | Bought | None:
        """Send an order: the only time in which a purchase can fall in doubt."""
        async with self.client.window() as unreachable:
            try:
                await self._check_ready(recipe)
                if unreachable is not None:
                    raise self._refused(recipe, unreachable)
                if (claimed := await self._claimed(order, recipe, intended)) is not True:
                    self.books.release(intended)
                    return claimed or None
                await self.books.intend(intended)
            except Flux2BuildError:
                self.books.release(intended)
                raise
            match await self._answer(order, intended, sent):
                case Refused() as answer:
                    await self.books.voided(intended, answer)
                    raise self._refused(recipe, answer)
                case InDoubt(message):
                    raise self._doubted(intended, message)
                case Ticket() as ticket:
                    self._doubts = 0
                    await self.books.ticketed(intended, ticket)
                    if self.team is not None:
                        await self.team.ticketed(intended, ticket)
                    return ticket

    async def _claimed(self, order: Order, recipe: Recipe, intended: Intended) -> bool | Bought:
        """Whether this machine may buy an order; or the picture of another machine."""
        if self.team is None:
            return True
        forced = recipe.asset in self.forced
        claimed = await self.team.take(order, recipe, intended, forced=forced)
        self._check_halted(recipe)
        return claimed

    async def _answer(
        self, order: Order, intended: Intended, sent: Sequence[Reference | str]
    ) -> Ticket | Refused | InDoubt:
        """The answer to an order; an internal error proves that nothing was sent."""
        callback = self.webhooks.callback(order, intended) if self.webhooks else None
        try:
            return await self.client.submit(order, sent, callback)
        except Flux2BuildError as error:
            await self.books.voided(intended, Refused(Refusal.UNREACHABLE, str(error)))
            raise

    def _doubted(self, intended: Intended, message: str) -> Flux2BuildError:
        """The error for an order in doubt; after several in a row, no more orders are sent."""
        self._doubts += 1
        if self._doubts >= _DOUBTS and self.refusal is None:
            self.refusal = order_errors.too_many_doubts(self._doubts)
        return order_errors.in_doubt(intended, message)

    async def _collect(
        self, order: Order, recipe: Recipe, intended: Intended, ticket: Ticket, turn: Turn
    ) -> Bought:
        collector = Collector(self.client, self.books)
        match await collector.collect(intended, ticket, recipe.asset, order.params, turn):
            case Bought() as bought:
                return bought
            case Refused(refusal=Refusal.LOST, message=message):
                # It was paid for: the ticket stays, and only a person gives it up.
                raise order_errors.lost(recipe.asset, ticket, message)
            case Refused() as refused:
                raise self._refused(recipe, refused)
            case Overdue(message, keyless=True):
                variable = self.client.provider.key_variable
                self.refusal = self.refusal or order_errors.keyless(message, variable)
                raise order_errors.uncollected(recipe.asset, ticket, message, variable)
            case Overdue(message, decide, untrusted=untrusted):
                raise order_errors.overdue(
                    recipe.asset, ticket, message, decide=decide, untrusted=untrusted
                )

    def _refused(self, recipe: Recipe, refused: Refused) -> Flux2BuildError:
        """The error for a refusal; an empty account or a bad key stops all other orders."""
        if refused.refusal in _WAITED_OUT and self.client.halt.is_set():
            return HaltedError()
        provider = self.client.provider
        error = order_errors.refusal(provider.name, recipe.asset, refused, provider.key_variable)
        if refused.refusal in _HALTING | _WAITED_OUT and self.refusal is None:
            self.refusal = error
        return error


def _size(reference: Reference) -> tuple[int, int]:
    picture = probe_still(reference.data, reference.name)
    return picture.width, picture.height
