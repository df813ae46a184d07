"""The account of the simulated customer: tasks, charges, limits and balance."""

from __future__ import annotations

import zlib
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import Any, Final
from uuid import UUID

from flux2build.digest import Digest, of_bytes
from flux2build.simulator.orders import Wanted
from flux2build.simulator.prices import CREDIT
from flux2build.simulator.scenario import Scenario

READY: Final = "Ready"
REFUNDED: Final = frozenset(
    {"Request Moderated", "Content Moderated", "Error", "Failed", "failed", "canceled", "aborted"}
)
"""Ends of a task that cost nothing; only a picture does."""


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


@dataclass(slots=True)
class Task:
    """An accepted order; its prompt and references lie in the spool."""

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
        """Where it is, in the words of BFL."""
        if now >= self.ready:
            return self.outcome
        return ("Pending", "Reasoning", "Generating")[min(2, int(3 * self.progress(now)))]

    def progress(self, now: float) -> float:
        """How much is done, from 0 to 1."""
        whole = self.ready - self.accepted
        return 1.0 if now >= self.ready else (now - self.accepted) / whole

    def refunded(self, now: float) -> bool:
        """Whether it ended without a picture, and so costs nothing."""
        return self.outcome in REFUNDED and now >= self.ready

    def charge(self) -> dict[str, Any]:
        """Its line in the list of charges; money in exact decimal strings."""
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


@dataclass(frozen=True, slots=True)
class Fate:
    """How an accepted order shall go, as the scenario has it."""

    latency: float
    outcome: str = READY
    factor: Decimal = Decimal(1)


@dataclass(slots=True)
class Account:
    """One customer's tasks at all dialects, who share a balance but no limits."""

    scenario: Scenario
    nonce: str = ""
    """Makes task ids differ from one simulation to the next."""
    tasks: dict[str, Task] = field(default_factory=dict)
    peak: Counter[str] = field(default_factory=Counter)
    """Most orders unfinished at once, per dialect."""
    _spent: Decimal = Decimal(0)
    _active: dict[str, list[Task]] = field(default_factory=dict)
    _doomed: list[Task] = field(default_factory=list)
    _recent: dict[str, deque[float]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def accept(self, dialect: str, wanted: Wanted, fate: Fate, now: float) -> Task:
        """A new task, charged.

        Raises:
            AccountRefusalError: too many at once, too fast, or too little credit.
        """
        price = wanted.credits * fate.factor
        self._admit(dialect, price, now)
        name = self._name(wanted)
        task = Task(
            id=name,
            dialect=dialect,
            model=wanted.model,
            order=wanted.order,
            prompt=of_bytes(wanted.prompt.encode()),
            width=wanted.width,
            height=wanted.height,
            format=wanted.format,
            seed=zlib.crc32(name.encode()) if wanted.seed is None else wanted.seed,
            credits=price,
            input_pixels=wanted.input_pixels,
            output_pixels=wanted.billed,
            accepted=now,
            ready=now + fate.latency,
            outcome=fate.outcome,
        )
        self._enter(task, now)
        return task

    def find(self, name: str, dialect: str, now: float) -> Task | None:
        """A task that this dialect knows and has not forgotten yet."""
        task = self.tasks.get(name)
        if task is None or task.dialect != dialect or now > task.ready + self.scenario.retention:
            return None
        return task

    def end(self, task: Task, outcome: str, now: float) -> None:
        """Let a task end now."""
        task.outcome, task.ready = outcome, now
        if outcome in REFUNDED and task not in self._doomed:
            self._doomed.append(task)

    def active(self, dialect: str, now: float) -> int:
        """How many orders are unfinished."""
        self._active[dialect] = [t for t in self._active.get(dialect, ()) if now < t.ready]
        return len(self._active[dialect])

    def balance(self, now: float) -> Decimal:
        """Credits left."""
        for task in [task for task in self._doomed if task.refunded(now)]:
            self._doomed.remove(task)
            self._spent -= task.credits
        return self.scenario.credits - self._spent

    def charges(self, now: float, *, refunded: bool = False) -> list[dict[str, Any]]:
        """What stands charged, or what was given back."""
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

    def _enter(self, task: Task, now: float) -> None:
        self.tasks[task.id] = task
        self._spent += task.credits
        self._active.setdefault(task.dialect, []).append(task)
        self.peak[task.dialect] = max(self.peak[task.dialect], self.active(task.dialect, now))
        if task.outcome in REFUNDED:
            self._doomed.append(task)

    def _name(self, wanted: Wanted) -> str:
        seen = of_bytes(f"{self.nonce} {next(self._numbers)} {wanted.order}".encode())
        return str(UUID(seen.removeprefix("sha256:")[:32], version=4))


def plain(amount: Decimal) -> str:
    """A decimal without exponent or idle zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
