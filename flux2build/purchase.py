"""Buying from a paid provider: every order is written down before it is sent.

intended (synced) -> POST -> ticketed (synced) -> poll, fetch -> store -> delivered.
Whatever happens in between, the next run finds out: without a ticket a person
is asked, with one the picture is collected, and a delivered one is adopted.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from flux2build import flock
from flux2build.build import Bought
from flux2build.digest import Digest, of_json
from flux2build.errors import (
    BudgetError,
    DecisionError,
    Flux2BuildError,
    IncompleteError,
    Problem,
    SystemFault,
)
from flux2build.http import Arrived, Overdue, Wire
from flux2build.journal import Journal
from flux2build.ledger import Delivered, Intended, Ledger, Ticketed, Voided, fold
from flux2build.market import verify
from flux2build.model import Order, Receipt, Recipe
from flux2build.provider import InDoubt, Reference, Refusal, Refused, Ticket
from flux2build.purse import Purse
from flux2build.store import Store

_HALTING: Final = frozenset({Refusal.CREDITS, Refusal.CREDENTIALS})
"""Refusals after which no other order can succeed either."""


_CLAIM_SECONDS: Final = 0.2
"""Between two looks at an order that another process is buying."""


@dataclass(slots=True)
class Counter:
    """Buys at one provider, within a purse; what is paid for is always collected."""

    wire: Wire
    store: Store
    journal: Journal
    purse: Purse
    project: str
    price: Callable[[Recipe], Decimal | None]
    """The most an order may cost in USD; None when nobody knows."""
    say: Callable[[str], None]
    account: str = ""
    _halted: Flux2BuildError | None = field(default=None, init=False)

    async def buy(self, order: Order, recipe: Recipe, references: Sequence[Reference]) -> Bought:
        """Buy an order, or collect it if it was bought before.

        Raises:
            DecisionError: it may have been bought already, or is not what was ordered.
            BudgetError: it would go over a cap, or the account is empty.
            SystemFault: no key, no connection, no disk.
            IncompleteError: it was refused.
        """
        async with AsyncExitStack() as stack:
            # Another build of the same user, in another tree, may be buying this very order.
            stack.callback(os.close, await self._claim(order.digest))
            known = self._known(order.digest)
            delivered = known.delivered.get(order.digest)
            if delivered is not None and self.store.has(delivered.output):
                return Bought(delivered.output, delivered.receipt)
            if order.digest in known.pending:
                intended, ticketed = known.pending[order.digest]
                ticket = Ticket(ticketed.task, ticketed.poll, ticketed.cost)
                await stack.enter_async_context(self.wire.slot())
                return await self._collect(order, recipe, intended, ticket)
            if order.digest in known.doubts:
                raise in_doubt(known.doubts[order.digest])
            return await self._order(order, recipe, references)

    async def _claim(self, order: Digest) -> int:
        """A lock on one order, held by the kernel; waiting takes no thread from anybody."""
        path = self.journal.path.with_name("claims") / f"{order.removeprefix('sha256:')}.lock"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        claim = flock.opened(path, 0o600)
        try:
            while not flock.try_lock(claim):  # noqa: ASYNC110 - it is let go by another process
                await asyncio.sleep(_CLAIM_SECONDS)
        except BaseException:
            os.close(claim)
            raise
        return claim

    def _known(self, order: Digest) -> Ledger:
        """What the journal says of one order."""
        return fold(self.journal.about(order))

    async def _order(self, order: Order, recipe: Recipe, references: Sequence[Reference]) -> Bought:
        async with self.wire.slot():
            if self._halted is not None:
                raise self._halted
            sent = await self.wire.prepare(references)
            if isinstance(sent, Refused):
                raise self._refused(recipe, sent)
            intended = self._intention(order, recipe)
            self.purse.reserve(intended.attempt, recipe.asset, intended.reserve)
            # Ctrl-C in the window would leave a purchase in doubt: it waits until the answer is down.
            window = asyncio.ensure_future(self._window(order, recipe, intended, sent))
            try:
                ticket = await asyncio.shield(window)
            except asyncio.CancelledError:
                await asyncio.wait([window])
                raise
            return await self._collect(order, recipe, intended, ticket)

    def _intention(self, order: Order, recipe: Recipe) -> Intended:
        worst = self.price(recipe)
        if worst is None:
            raise BudgetError(
                Problem(f"no price is known for `{recipe.asset}`; nothing was ordered")
            )
        return Intended(
            order=order.digest,
            attempt=uuid.uuid4().hex,
            at=_now(),
            provider=self.wire.provider.name,
            model=order.model,
            asset=recipe.asset,
            reserve=worst,
            payload=of_json({"model": order.model, "prompt": order.prompt, "params": order.params}),
            project=self.project,
            account=self.account,
        )

    async def _window(
        self, order: Order, recipe: Recipe, intended: Intended, sent: Sequence[Reference | str]
    ) -> Ticket:
        """From the ledger to the answer: the only moment in which a purchase can fall in doubt."""
        async with self.wire.window() as unreachable:
            if self._halted is not None:
                self.purse.release(intended.attempt)
                raise self._halted
            if unreachable is not None:
                self.purse.release(intended.attempt)
                raise self._refused(recipe, unreachable)
            try:
                await asyncio.to_thread(self.journal.append, intended)
            except Flux2BuildError:
                self.purse.release(intended.attempt)
                raise
            answer = await self.wire.submit(order, sent)
            match answer:
                case Refused():
                    await self._void(intended, answer)
                    raise self._refused(recipe, answer)
                case InDoubt(message):
                    raise in_doubt(intended, message)
                case Ticket():
                    await self._ticketed(intended, answer)
                    return answer

    async def _ticketed(self, intended: Intended, ticket: Ticket) -> None:
        # A log outlives a disk: the task is said at once, whatever becomes of the journal.
        self.say(f"submitted {intended.asset} task={ticket.task}")
        entry = Ticketed(
            order=intended.order,
            attempt=intended.attempt,
            at=_now(),
            task=ticket.task,
            poll=ticket.poll,
            cost=ticket.cost,
        )
        await asyncio.to_thread(self.journal.append, entry)

    async def _void(self, intended: Intended, refused: Refused) -> None:
        entry = Voided(
            order=intended.order,
            attempt=intended.attempt,
            at=_now(),
            refusal=refused.refusal.value,
            message=refused.message,
            charged=refused.charged,
        )
        await asyncio.to_thread(self.journal.append, entry)
        if refused.charged:
            self.purse.settle(intended.attempt, intended.reserve)
        else:
            self.purse.release(intended.attempt)

    async def _collect(
        self, order: Order, recipe: Recipe, intended: Intended, ticket: Ticket
    ) -> Bought:
        ended = await self.wire.collect(ticket)
        match ended:
            case Refused():
                await self._void(intended, ended)
                raise self._refused(recipe, ended)
            case Overdue(message, decide):
                raise _overdue(recipe, ticket, message, decide=decide)
            case Arrived():
                return await self._deliver(order, recipe, intended, ticket, ended)

    async def _deliver(
        self, order: Order, recipe: Recipe, intended: Intended, ticket: Ticket, arrived: Arrived
    ) -> Bought:
        """Keep what was paid for first; then see whether it is what was ordered."""
        output = await asyncio.to_thread(self.store.put, arrived.data)
        await asyncio.to_thread(self._verify, order, recipe, arrived, output)
        receipt = _receipt(intended, ticket, arrived)
        entry = Delivered(
            order=order.digest,
            output=output,
            receipt=receipt,
            attempt=intended.attempt,
            at=_now(),
            project=self.project,
            asset=recipe.asset,
            model=order.model,
        )
        await asyncio.to_thread(self.journal.append, entry)
        self.purse.settle(intended.attempt, receipt.cost or intended.reserve)
        return Bought(output, receipt)

    def _verify(self, order: Order, recipe: Recipe, arrived: Arrived, output: Digest) -> None:
        try:
            verify(order, recipe, arrived.data)
        except Flux2BuildError as error:
            first = error.problems[0]
            raise DecisionError(
                Problem(
                    f"what arrived for `{recipe.asset}` is kept aside: {first.message}",
                    rows=(*first.rows, ("kept as", output), ("task", arrived.ready.task)),
                    hint="`flux2build orders list` shows it; `orders adopt` takes it as it is, "
                    "`orders write-off` gives it up",
                )
            ) from error

    def _refused(self, recipe: Recipe, refused: Refused) -> Flux2BuildError:
        """What a refusal means; an empty account or a bad key stops all other orders."""
        error = refusal(self.wire.provider.name, recipe, refused, self.wire.provider.key_variable)
        if refused.refusal in _HALTING and self._halted is None:
            self._halted = error
        return error


def refusal(provider: str, recipe: Recipe, refused: Refused, variable: str) -> Flux2BuildError:
    """A refusal as an error: what it means and what to do."""
    said = f"`{provider}` says: {refused.message}" if refused.message else f"by `{provider}`"
    match refused.refusal:
        case Refusal.CREDITS:
            return BudgetError(
                Problem(
                    f"the account is empty; nothing more is ordered ({said})",
                    hint="add credits, then build again: what is paid for is collected first",
                )
            )
        case Refusal.CREDENTIALS:
            return SystemFault(
                Problem(
                    f"the key is missing or refused; nothing was ordered ({said})",
                    hint=f"set {variable} in the environment or with `--env-file`",
                )
            )
        case Refusal.UNREACHABLE | Refusal.RATE_LIMITED:
            return SystemFault(
                Problem(f"`{recipe.asset}` was not ordered: {said}", hint="build again later")
            )
        case Refusal.REQUEST_MODERATED:
            return IncompleteError(
                Problem(
                    f"the request for `{recipe.asset}` was moderated: {said}",
                    hint="change the prompt or its references; it is not sent again unchanged",
                )
            )
        case Refusal.CONTENT_MODERATED:
            return IncompleteError(
                Problem(
                    f"the picture of `{recipe.asset}` was moderated: {said}",
                    hint="another seed or prompt may pass; it is not sent again unchanged",
                )
            )
        case Refusal.INVALID | Refusal.FAILED | Refusal.LOST:
            return IncompleteError(Problem(f"`{recipe.asset}` failed ({refused.refusal}): {said}"))


def in_doubt(intended: Intended, message: str = "") -> DecisionError:
    """The error for an order that may have been bought."""
    because = f": {message}" if message else ""
    return DecisionError(
        Problem(
            f"`{intended.asset}` may have been bought{because}",
            rows=(
                ("sent", f"{intended.at} to {intended.provider}, {intended.model}"),
                ("at most", f"${intended.reserve}"),
                ("attempt", intended.attempt),
            ),
            hint="it is never sent again by itself: see `flux2build orders list`, then "
            "`orders adopt`, `orders resubmit` or `orders write-off`",
        )
    )


def _overdue(recipe: Recipe, ticket: Ticket, message: str, *, decide: bool) -> Flux2BuildError:
    problem = Problem(
        f"the picture of `{recipe.asset}` is not here yet: {message}",
        rows=(("task", ticket.task),),
        hint="it is paid for and stays in the ledger; the next build collects it",
    )
    return DecisionError(problem) if decide else IncompleteError(problem)


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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
