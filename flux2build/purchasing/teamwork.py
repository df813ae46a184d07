"""Keeps two machines of a team from buying one order: claims, receipts and bytes in their store.

claim -> intended -> POST -> ticketed -> ticket in the claim -> delivered -> bytes -> receipt ->
release. A claim is taken before the order is written down, and the receipt is looked up after that:
a later machine finds the one or the other. All methods block, except the asynchronous ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from flux2build.digest import Digest
from flux2build.errors import SystemFault
from flux2build.images.formats.lookup import examine
from flux2build.ledger import Delivered, Entry, Intended, State, Ticketed, fold
from flux2build.ledger.journal import Journal
from flux2build.model import Bought, Generate, Order, Output, Recipe
from flux2build.providers.contract import Ticket
from flux2build.purchasing import order_errors, team_errors
from flux2build.purchasing.http.clock import Clock, Monotonic
from flux2build.purchasing.verification import verify_picture
from flux2build.sharing.at_once import answers
from flux2build.sharing.contract import Unreachable
from flux2build.sharing.held_claims import HeldClaim, HeldClaims
from flux2build.sharing.keys import Space, key_of
from flux2build.sharing.records import RecordError, SharedClaim, SharedReceipt, receipt_of
from flux2build.sharing.team_store import TeamStore
from flux2build.storage.store import DamagedError, Store

_LOOK: Final = 2.0
"""Seconds between two looks at an order that another machine is buying."""
_SILENCE: Final = 10
"""Looks without news after which this machine asks for the picture itself, if it can."""
_PATIENCE: Final = 150
"""Looks without news after which a person is asked."""
_NOTHING: Final = Decimal(0)
_PULL: Final = "`git pull` brings its file once somebody has committed it"


@dataclass(slots=True)
class Teamwork:
    """The work of one machine in the team's store for the orders that it places."""

    store: TeamStore
    held: HeldClaims
    journal: Journal
    pictures: Store
    say: Callable[[str], None]
    clock: Clock = field(default_factory=Monotonic)
    _others: dict[Digest, tuple[SharedClaim, int]] = field(default_factory=dict, init=False)
    """The claims of others, with the number of looks since their last change."""
    _alone: bool = field(default=False, init=False)
    _waiting: set[Digest] = field(default_factory=set, init=False)
    """The orders about which a message said that they are waited for."""
    _fault: Unreachable | None = field(default=None, init=False)
    """The reason why nothing can be claimed any more in this run."""
    _untold: bool = field(default=False, init=False)
    _telling: set[asyncio.Future[None]] = field(default_factory=set, init=False)

    async def turn(
        self, order: Order, recipe: Recipe, account: str, *, forced: bool
    ) -> Bought | bool:
        """Whether to continue with an order, or the picture that another machine has bought.

        Raises:
            SystemFault: the store cannot be asked.
        """
        if order.digest not in self._others:
            return True  # claiming it will show whether another machine has
        return await self._asked(recipe, lambda: self._look(order, recipe, account, forced=forced))

    async def take(
        self, order: Order, recipe: Recipe, intended: Intended, *, forced: bool
    ) -> Bought | bool:
        """Claim an order; False if another machine has it, or the picture that it bought.

        Raises:
            SystemFault: the store cannot be asked, or not be written.
        """
        taken = await self._asked(
            recipe, lambda: self._take(order, recipe, intended, forced=forced)
        )
        if self._alone and self.store.writable:
            await asyncio.to_thread(self._note, order, intended.attempt)
        return taken

    async def wait(self, order: Order, recipe: Recipe) -> None:
        """Wait a while for the machine that has claimed an order; at once if there is none.

        Raises:
            DecisionError: it has waited for too long.
        """
        if (met := self._others.get(order.digest)) is None:
            return
        claim, looks = met
        if looks >= _PATIENCE or (looks and claim.old):
            raise team_errors.claimed(recipe, claim)
        if order.digest not in self._waiting:
            self._waiting.add(order.digest)
            what = f"{recipe.asset} ({claim.provider}/{claim.model}, since {claim.at})"
            self.say(f"waiting for another machine of the team that buys {what}")
        self._others[order.digest] = claim, looks + 1
        await self.clock.sleep(_LOOK)

    async def collecting(self, order: Order, attempt: str) -> None:
        """Note an order before it is collected, so that the team learns its end."""
        if self.store.writable and self.held.get(order.digest) is None:
            with suppress(SystemFault):  # paid pictures are collected in any case
                await asyncio.to_thread(self._note, order, attempt)

    async def ticketed(self, intended: Intended, ticket: Ticket) -> None:
        """Publish the ticket, so that others can collect the picture if this machine cannot."""
        if self.held.get(intended.order) and not self._alone:
            claim = _claim(intended, ticket)
            await self._tell(lambda: self.store.name_ticket(claim))

    def tell(self, order: Digest) -> None:
        """Start to report the end of an order that this machine has claimed to the store."""
        if self.held.get(order) and not self._alone:
            self._telling.add(asyncio.ensure_future(self._tell(lambda: self.settle(order))))

    async def told(self) -> None:
        """Wait until the store knows the end of every order; an interrupt ends the wait."""
        task = asyncio.current_task()
        if not (task and task.cancelling()):
            await asyncio.gather(*self._telling)

    async def share(self, files: Sequence[Digest], read: Callable[[Digest], bytes]) -> None:
        """Share files that can be made again, so that others need not make them."""
        able = self.store.writable and self.store.backend.keeps_bytes
        if files and able and not (self._alone or self._fault):
            await self._tell(lambda: list(answers(lambda each: self.store.put(read(each)), files)))

    def settle_all(self) -> None:
        """Report the ends of all orders that earlier builds have claimed to the store.

        Raises:
            SystemFault: the store cannot be told.
        """
        list(answers(self.settle, [claim.order for claim in self.held]))

    def settle(self, order: Digest) -> None:
        """Report the end of an order to the store, unless another process works on it.

        A delivered order is shared, a failed one is released; one that is pending, or waits for a
        person, stays claimed.

        Raises:
            SystemFault: the store cannot be told.
        """
        with self.journal.claims.held(order) as ours:
            if ours and (claim := self.held.get(order)):
                self._settle(claim)

    def _settle(self, claim: HeldClaim) -> None:
        attempts = fold(self.journal.about(claim.order)).attempts
        attempt = next((each for each in attempts if each.name == claim.attempt), None)
        state = attempt.state if attempt else State.VOIDED  # never written down, so never sent
        if attempt and attempt.delivered and state is State.DELIVERED:
            self._share(claim.asked, attempt.delivered)
        elif attempt and attempt.intended and attempt.ticketed and state is State.PENDING:
            self.store.name_ticket(_claim(attempt.intended, attempt.ticketed))
            return
        elif state is not State.VOIDED:
            return
        self._release(claim.order, claim.attempt)

    def _share(self, order: Order, delivered: Delivered) -> None:
        """Share a picture, and then its receipt, in place of a receipt without a picture."""
        data = self.pictures.get(delivered.output)
        self.store.put(data)
        shown = examine(data)
        size = len(data), shown.width, shown.height, shown.format
        receipt = receipt_of(order, Output("", delivered.output, *size), delivered.receipt)
        if self.store.put_receipt(receipt) or not self.store.backend.keeps_bytes:
            return
        first = self.store.receipt(order.digest)
        if first is not None and not self.store.has(first.output):
            self.store.remove(key_of(Space.ORDERS, order.digest))
            self.store.put_receipt(receipt)

    def _release(self, order: Digest, attempt: str) -> None:
        self.store.release(order, attempt)
        self.held.forget(order)

    def _look(self, order: Order, recipe: Recipe, account: str, *, forced: bool) -> Bought | bool:
        """Look whether another machine still works on an order."""
        if not forced and (receipt := self._receipt(order)):
            return self._adopted(receipt, order, recipe)
        claim = self.store.claim(order.digest)
        if claim is None:
            self._others.pop(order.digest, None)
            return True
        self._meet(claim)
        if not self._collectable(claim, recipe, account):
            return False
        self._take_over(claim, order, recipe)
        self._others.pop(order.digest)
        return False  # from now on it is in the ledger, like this machine's own orders

    def _take(
        self, order: Order, recipe: Recipe, intended: Intended, *, forced: bool
    ) -> Bought | bool:
        if earlier := self.held.get(order.digest):
            self._settle(earlier)
        self.store.require_writable()
        self._note(order, intended.attempt)
        if not self.store.take(_claim(intended)):
            self.held.forget(order.digest)
            if claim := self.store.claim(order.digest):
                self._meet(claim)
            return False
        if forced or (receipt := self._receipt(order)) is None:
            return True
        self._release(order.digest, intended.attempt)
        return self._adopted(receipt, order, recipe)

    def _note(self, order: Order, attempt: str) -> None:
        self.held.note(HeldClaim.of(order, attempt))

    def _receipt(self, order: Order) -> SharedReceipt | None:
        """The receipt of an order, unless a person has given its picture up."""
        receipt = self.store.receipt_for(order)
        given_up = fold(self.journal.about(order.digest)).resubmitted if receipt else ()
        if receipt and (order.digest, receipt.receipt.task) in given_up:
            return receipt if self.store.has(receipt.output) else None
        return receipt

    def _adopted(self, receipt: SharedReceipt, order: Order, recipe: Recipe) -> Bought:
        """The picture that another machine has bought, once its bytes are here."""
        if not self.pictures.has(receipt.output):
            data = self.store.get(receipt.output)
            if data is None:
                ways = () if self.store.backend.keeps_bytes else (_PULL,)
                raise order_errors.paid_for(recipe, receipt.output, receipt.receipt, ways_back=ways)
            verify_picture(recipe.asset, order.params, data)
            self.pictures.put(data)
        return Bought(receipt.output, receipt.receipt, shared=True)

    def _meet(self, claim: SharedClaim) -> None:
        before, looks = self._others.get(claim.order, (claim, 0))
        self._others[claim.order] = claim, looks if before == claim else 0

    def _collectable(self, claim: SharedClaim, recipe: Recipe, account: str) -> bool:
        """Whether this machine may collect the picture itself, because the other one is silent."""
        if not (claim.task and claim.account == account and _seller(recipe) == claim.provider):
            return False
        return self._others[claim.order][1] >= _SILENCE or claim.old

    def _take_over(self, claim: SharedClaim, order: Order, recipe: Recipe) -> None:
        """Note the ticket of another machine, so that its picture is collected here."""
        self.say(f"collecting {recipe.asset}, which another machine of the team has ordered")
        for entry in entries_of(claim, recipe.asset):
            self.journal.append(entry)
        self._note(order, claim.attempt)

    async def _asked(self, recipe: Recipe, ask: Callable[[], Bought | bool]) -> Bought | bool:
        """The answer of the store; without one, nothing is bought, or without a claim."""
        if self._alone:
            return True
        try:
            if self._fault is not None:
                raise self._fault
            return await asyncio.to_thread(ask)
        except Unreachable as fault:
            if not self.store.alone:
                self._fault = fault
                raise team_errors.unclaimed(recipe, fault) from fault
            self._go_alone(fault)
            return True
        except RecordError as error:
            raise team_errors.unreadable(recipe, error) from error
        except DamagedError as error:
            raise order_errors.unready(recipe, error) from error

    def _go_alone(self, fault: Unreachable) -> None:
        if not self._alone:
            self.say(f"warning: {fault}; buying without the team, which a later build tells of it")
        self._alone = True

    async def _tell(self, tell: Callable[[], object]) -> None:
        """Report to the store; a build never fails because of an error here."""
        try:
            await asyncio.to_thread(tell)
        except SystemFault as fault:
            if not self._untold and self._fault is None:
                self.say(f"warning: {fault}; the team is told by a later build, or `store push`")
            self._untold = True


def entries_of(claim: SharedClaim, asset: str, reserve: Decimal = _NOTHING) -> Iterator[Entry]:
    """The entries of another machine's ledger about a claim, as far as the claim has them."""
    yield Intended(
        order=claim.order,
        attempt=claim.attempt,
        at=claim.at,
        provider=claim.provider,
        model=claim.model,
        asset=asset,
        reserve=claim.cost or reserve,
        payload=claim.payload,
        account=claim.account,
        expected=claim.expected,
    )
    if claim.task:
        yield Ticketed(
            order=claim.order,
            attempt=claim.attempt,
            at=claim.at,
            task=claim.task,
            poll=claim.poll,
            cost=claim.cost,
        )


def _claim(intended: Intended, ticket: Ticket | Ticketed | None = None) -> SharedClaim:
    """The claim of an attempt; with its ticket, once it has one."""
    return SharedClaim(
        order=intended.order,
        attempt=intended.attempt,
        account=intended.account,
        provider=intended.provider,
        model=intended.model,
        payload=intended.payload,
        at=intended.at,
        task=ticket.task if ticket else "",
        poll=ticket.poll if ticket else "",
        cost=ticket.cost if ticket else None,
        expected={
            name: value for name, value in intended.expected.items() if isinstance(value, int | str)
        },
    )


def _seller(recipe: Recipe) -> str:
    return recipe.task.provider if isinstance(recipe.task, Generate) else ""
