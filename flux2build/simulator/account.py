"""The account of the simulated customer: tasks, charges, limits and balance."""

from __future__ import annotations

import zlib
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import Any, Final
from uuid import UUID

from msgspec import Struct, field

from flux2build.digest import Digest, of_bytes
from flux2build.simulator.orders import CREDIT, ReceivedOrder
from flux2build.simulator.scenario import Scenario

READY: Final = "Ready"
ENDED: Final = frozenset({"Request Moderated", "Content Moderated", "Error", "Failed"})
"""BFL's statuses of tasks that ended without a picture."""
REFUNDED: Final = ENDED | {"failed", "canceled", "aborted"}
"""The same for all providers; such a task costs nothing."""


class Reason(StrEnum):
    """Why the account refuses an order."""

    BUSY = "busy"
    THROTTLED = "throttled"
    CREDITS = "credits"


class AccountRefusalError(Exception):
    """The account refuses an order; nothing was accepted, nothing charged."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Task(Struct):
    """An accepted order; its prompt and references are in the temporary storage."""

    id: str
    dialect: str
    model: str
    order: Digest
    prompt: Digest
    width: int
    height: int
    format: str
    seed: int
    credits: Decimal
    input_pixels: int
    output_pixels: int
    accepted: float
    ready: float
    outcome: str = READY

    def status(self, now: float) -> str:
        """Its status at a moment, in BFL's terms."""
        if now >= self.ready:
            return self.outcome
        return ("Pending", "Reasoning", "Generating")[min(2, int(3 * self.progress(now)))]

    def progress(self, now: float) -> float:
        """The task's progress, from 0 to 1."""
        whole = self.ready - self.accepted
        return 1.0 if now >= self.ready else (now - self.accepted) / whole

    def refunded(self, now: float) -> bool:
        """Whether it has ended without a picture, which costs nothing."""
        return self.outcome in REFUNDED and now >= self.ready

    def charge(self) -> dict[str, Any]:
        """Its entry in the list of charges; money as exact decimal strings."""
        return {
            "id": self.id,
            "dialect": self.dialect,
            "model": self.model,
            "usd": plain(self.credits * CREDIT),
            "credits": plain(self.credits),
            "order": self.order,
            "prompt_digest": self.prompt,
            "at": datetime.fromtimestamp(self.accepted, UTC).isoformat(),
        }


class Outcome(Struct, frozen=True):
    """How an accepted order will end, by the scenario."""

    latency: float
    status: str = READY
    price_factor: Decimal = Decimal(1)


class Account(Struct):
    """One customer's tasks at all dialects, which share a balance but not limits."""

    scenario: Scenario
    nonce: str = ""
    """A text that makes task ids differ between simulations."""
    tasks: dict[str, Task] = field(default_factory=dict)
    peak: Counter[str] = field(default_factory=Counter)
    """Most orders unfinished at once, per dialect."""
    _spent: Decimal = Decimal(0)
    _active: dict[str, list[Task]] = field(default_factory=dict)
    _refundable: list[Task] = field(default_factory=list)
    _recent: dict[str, deque[float]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def accept(self, dialect: str, order: ReceivedOrder, outcome: Outcome, now: float) -> Task:
        """A new task, which is charged at once.

        Raises:
            AccountRefusalError: too many at once, too fast, or too little credit.
        """
        price = order.credits * outcome.price_factor
        self._admit(dialect, price, now)
        name = self._name(order)
        task = Task(
            id=name,
            dialect=dialect,
            model=order.model,
            order=order.digest,
            prompt=of_bytes(order.prompt.encode()),
            width=order.width,
            height=order.height,
            format=order.format,
            seed=zlib.crc32(name.encode()) if order.seed is None else order.seed,
            credits=price,
            input_pixels=order.input_pixels,
            output_pixels=order.billed_pixels,
            accepted=now,
            ready=now + outcome.latency,
            outcome=outcome.status,
        )
        self._add(task, now)
        return task

    def find(self, name: str, dialect: str, now: float) -> Task | None:
        """A task of this dialect, unless it has been forgotten."""
        task = self.tasks.get(name)
        if task is None or task.dialect != dialect or now > task.ready + self.scenario.retention:
            return None
        return task

    def end(self, task: Task, outcome: str, now: float) -> None:
        """End a task now."""
        task.outcome, task.ready = outcome, now
        if outcome in REFUNDED and task not in self._refundable:
            self._refundable.append(task)

    def active(self, dialect: str, now: float) -> int:
        """How many orders are unfinished."""
        self._active[dialect] = [t for t in self._active.get(dialect, ()) if now < t.ready]
        return len(self._active[dialect])

    def balance(self, now: float) -> Decimal:
        """Credits left."""
        for task in [task for task in self._refundable if task.refunded(now)]:
            self._refundable.remove(task)
            self._spent -= task.credits
        return self.scenario.credits - self._spent

    def charges(self, now: float, *, refunded: bool = False) -> list[dict[str, Any]]:
        """The charges that remain, or the refunded ones."""
        return [t.charge() for t in self.tasks.values() if t.refunded(now) is refunded]

    def _admit(self, dialect: str, price: Decimal, now: float) -> None:
        recent = self._recent.setdefault(dialect, deque())
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if 0 < self.scenario.creates_per_minute <= len(recent):
            raise AccountRefusalError(Reason.THROTTLED)
        if self.active(dialect, now) >= self.scenario.limit:
            raise AccountRefusalError(Reason.BUSY)
        if self.balance(now) < price:
            raise AccountRefusalError(Reason.CREDITS)
        if self.scenario.creates_per_minute:
            recent.append(now)

    def _add(self, task: Task, now: float) -> None:
        self.tasks[task.id] = task
        self._spent += task.credits
        self._active.setdefault(task.dialect, []).append(task)
        self.peak[task.dialect] = max(self.peak[task.dialect], self.active(task.dialect, now))
        if task.outcome in REFUNDED:
            self._refundable.append(task)

    def _name(self, order: ReceivedOrder) -> str:
        digest = of_bytes(f"{self.nonce} {next(self._numbers)} {order.digest}".encode())
        return str(UUID(digest.removeprefix("sha256:")[:32], version=4))


def plain(amount: Decimal) -> str:
    """A decimal without an exponent or trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
