"""Records every attempt to buy in the journal and in the budget.

An entry is on disk before the next step; the budget changes with it, so that the two never
disagree.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.ledger import (
    Delivered,
    Intended,
    Kept,
    Ledger,
    Ticketed,
    Voided,
    expected,
    fold,
)
from flux2build.ledger.journal import Journal
from flux2build.model import Order, Receipt, Recipe, payload
from flux2build.providers.contract import Refused, Ticket
from flux2build.purchasing.budget import BudgetGuard
from flux2build.purchasing.safekeeping import Safekeeping, Stored


@dataclass(slots=True)
class Bookkeeping:
    """Records the orders of one run, and their costs."""

    keeping: Safekeeping
    budget: BudgetGuard
    project: str
    say: Callable[[str], None]
    detail: Callable[[str], None] = lambda _: None
    """Prints details that only `-v` shows."""
    _attempts: set[str] = field(default_factory=set, init=False)
    """The attempts of this run."""

    @property
    def journal(self) -> Journal:
        """The journal of the user's orders."""
        return self.keeping.journal

    def about(self, *names: Digest) -> Ledger:
        """The ledger of one order under any of its names, as facts about the first name."""
        oldest_first = reversed(names)
        entries = (entry for name in oldest_first for entry in self.journal.about(name))
        return fold(entries).about(names)

    def unsettled(self, order: Digest) -> bool:
        """Whether an order is pending, kept aside or in doubt, or was bought in this run."""
        ledger = self.about(order)
        delivered = ledger.delivered.get(order)
        bought_now = delivered is not None and delivered.attempt in self._attempts
        return order in ledger.unsettled or bought_now

    def intention(
        self, order: Order, recipe: Recipe, provider: str, account: str, worst: Decimal
    ) -> Intended:
        """A new attempt to buy an order, which costs `worst` at most; not written down yet."""
        return Intended(
            order=order.digest,
            attempt=uuid.uuid4().hex,
            at=_now(),
            provider=provider,
            model=order.model,
            asset=recipe.asset,
            reserve=worst,
            payload=payload(order.model, order.prompt, order.params),
            project=self.project,
            account=account,
            expected=expected(order.params),
        )

    def reserve(self, intended: Intended) -> None:
        """Set the worst case of an attempt aside.

        Raises:
            BudgetError: it would exceed a cap or the plan; nothing is set aside.
        """
        self.budget.reserve(intended.attempt, intended.asset, intended.reserve)

    def release(self, intended: Intended) -> None:
        """Give back what was set aside for an attempt that was never written down."""
        self.budget.release(intended.attempt)

    async def intend(self, intended: Intended) -> None:
        """Write down that an order is about to be sent; when this returns, that is on disk.

        Raises:
            SystemFault: it cannot be written down.
        """
        self._attempts.add(intended.attempt)
        try:
            await asyncio.to_thread(self.journal.append, intended)
        except SystemFault:
            self.keeping.doubt()
            raise

    async def ticketed(self, intended: Intended, ticket: Ticket) -> None:
        """The server took the order."""
        # A log may survive the disk: the task is printed at once, even if the journal fails.
        self.say(f"submitted {intended.asset} task={ticket.task}")
        self._charge(intended, ticket.cost)
        entry = Ticketed(
            order=intended.order,
            attempt=intended.attempt,
            at=_now(),
            task=ticket.task,
            poll=ticket.poll,
            cost=ticket.cost,
        )
        # If that fails, the picture is still collected now, with this ticket.
        await self.keeping.note(entry)

    async def overdue(self, intended: Intended, reason: str) -> None:
        """The picture is not here yet; its ticket stays valid."""
        pending = self.about(intended.order).pending.get(intended.order)
        if pending is not None and pending[1].said != reason:
            await self.keeping.note(replace(pending[1], at=_now("microseconds"), said=reason))

    async def voided(self, intended: Intended, refused: Refused) -> None:
        """The order failed."""
        entry = Voided(
            order=intended.order,
            attempt=intended.attempt,
            at=_now("microseconds"),
            refusal=refused.refusal.value,
            message=refused.message,
            charged=refused.charged,
        )
        await self.keeping.note(entry)
        if refused.charged:
            self.budget.settle(intended.attempt, intended.asset, intended.reserve)
        else:
            self.budget.release(intended.attempt)

    def settled(self, intended: Intended, receipt: Receipt) -> None:
        """A picture arrived, and was charged, even if it is not the ordered one."""
        cost = receipt.cost if receipt.cost is not None else intended.reserve
        self._charge(intended, cost)
        self.budget.settle(intended.attempt, intended.asset, cost)

    async def delivered(
        self, intended: Intended, asset: str, stored: Stored, receipt: Receipt
    ) -> SystemFault | None:
        """Note that the picture is kept; return the error if store or ledger lack it."""
        entry = Delivered(
            order=intended.order,
            output=stored.digest,
            receipt=receipt,
            attempt=intended.attempt,
            at=_now(),
            project=self.project,
            asset=asset,
            model=intended.model,
        )
        fault = await self.keeping.note(entry, spooled=stored.fault is not None)
        return stored.fault or fault

    async def kept(
        self, intended: Intended, stored: Stored, receipt: Receipt, wrong: Flux2BuildError
    ) -> None:
        """Note that another picture than the one ordered is kept; a person decides about it."""
        entry = Kept(
            order=intended.order,
            attempt=intended.attempt,
            at=_now("microseconds"),
            output=stored.digest,
            receipt=receipt,
            message=str(wrong),
        )
        await self.keeping.note(entry, spooled=stored.fault is not None)

    def _charge(self, intended: Intended, cost: Decimal | None) -> None:
        """Warn at once when an order costs more than the list price allowed for."""
        if cost is not None and (beyond := self.budget.charge(intended.attempt, cost)):
            expected = f"${beyond} more than the list price"
            self.say(f"warning: `{intended.asset}` costs ${cost}, {expected}")


def _now(precision: str = "seconds") -> str:
    """The time; whether an end came before or after a person's ticket takes microseconds."""
    return datetime.now(UTC).isoformat(timespec=precision)
