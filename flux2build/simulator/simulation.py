"""The state of one simulation: its tasks, charges and faults, which the routes ask for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, get_args

from flux2build.simulator.account import READY, REFUNDED, Account, Outcome, Task, plain
from flux2build.simulator.answers import TaskReport, tampered
from flux2build.simulator.orders import CREDIT, ReceivedOrder
from flux2build.simulator.scenario import Dialect, Rule, Rules, Scenario
from flux2build.simulator.temporary_storage import TemporaryStorage


class Simulation:
    """The tasks, charges and faults behind all dialects."""

    def __init__(
        self, scenario: Scenario | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.now = clock
        self._first = scenario or Scenario()
        self._secret = secrets.token_bytes(32)
        self.calling: set[asyncio.Future[None]] = set()
        """Callbacks under way."""
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened, and return to the first scenario."""
        self.storage = TemporaryStorage()
        self.unknown: Counter[tuple[str, str, str]] = Counter()
        self.rebuilt_polls = 0
        self.account = Account(self._first, secrets.token_hex(8))
        self.change(self._first)

    def change(self, scenario: Scenario) -> None:
        """Continue with another scenario; charges remain."""
        self.scenario = scenario
        self.account.scenario = scenario
        self.rules = Rules(scenario.rules)

    def accept(self, dialect: str, order: ReceivedOrder, rule: Rule | None) -> Task:
        """The task of an order, accepted and charged.

        Raises:
            AccountRefusalError: the account does not allow it.
        """
        task = self.account.accept(dialect, order, self._outcome(order, rule), self.now())
        self.storage.remember(task.id, order)
        return task

    def report(
        self, task: Task, base: str, rule: Rule | None = None, *, at: float | None = None
    ) -> TaskReport:
        """The report on a task, now or at another moment; a rule may falsify it."""
        now = self.now() if at is None else at
        ends = rule is not None and rule.fault == "status" and rule.status in REFUNDED
        if rule is not None and ends and not task.refunded(now):
            self.account.end(task, str(rule.status), now)
        record = self.storage.recall(task.id)
        status = task.status(now)
        expired = rule is not None and rule.fault == "expired-url"
        honest = TaskReport(
            task=task,
            id=task.id,
            status=status,
            newer=self.scenario.newer_states or task.model.startswith("flux-3"),
            progress=task.progress(now),
            cost=task.credits if self.scenario.final_cost else None,
            seed=task.seed,
            reported_prompt=record["reported_prompt"],
            echo=record["echo"],
            base=base,
            url=self._sign(task, base, expired=expired) if status == READY else None,
        )
        return tampered(honest, rule, self._other_id(task))

    def admits(self, path: str, expires: str, signature: str) -> bool:
        """Whether a result URL was signed here and has not expired."""
        genuine = hmac.compare_digest(signature, self._signature(path, expires))
        return genuine and float(expires) >= self.now()

    def state(self) -> dict[str, Any]:
        """The counts of everything so far."""
        now, names = self.now(), get_args(Dialect)
        return {
            "tasks": len(self.account.tasks),
            "active": {name: self.account.active(name, now) for name in names},
            "peak_active": {name: self.account.peak[name] for name in names},
            "credits": plain(self.account.balance(now)),
            "rebuilt_polls": self.rebuilt_polls,
            "rules_hit": self.rules.hits,
            "unknown_fields": [
                {"dialect": dialect, "model": model, "field": field, "count": count}
                for (dialect, model, field), count in sorted(self.unknown.items())
            ],
        }

    def charges(self) -> dict[str, Any]:
        """The charges, the refunds, and the sum of the charges."""
        now = self.now()
        standing = self.account.charges(now)
        total = sum((Decimal(charge["usd"]) for charge in standing), Decimal(0))
        return {
            "charges": standing,
            "refunds": self.account.charges(now, refunded=True),
            "total_usd": plain(total),
            "credit_usd": plain(CREDIT),
        }

    def _outcome(self, order: ReceivedOrder, rule: Rule | None) -> Outcome:
        prompt = order.prompt.casefold()
        status = READY
        if any(word.casefold() in prompt for word in self.scenario.content_words):
            status = "Content Moderated"
        if any(word.casefold() in prompt for word in self.scenario.request_words):
            status = "Request Moderated"
        latency = self.scenario.latency
        match rule.fault if rule else None:
            case "outcome" if rule:
                return Outcome(latency, str(rule.status))
            case "stuck":
                return Outcome(float("inf"))
            case "ready-at-once":
                return Outcome(0)
            case "price" if rule:
                return Outcome(latency, status, rule.factor)
            case _:
                return Outcome(latency, status)

    def _sign(self, task: Task, base: str, *, expired: bool) -> str:
        lifetime = self.scenario.expiry
        if lifetime is None:
            hourly = task.dialect == "replicate" or task.model == "flux-3-image"
            lifetime = 3600 if hourly else 600
        path = f"/delivery/{task.id}/sample.{task.format}"
        expires = f"{self.now() - 1 if expired else self.now() + lifetime:.3f}"
        return f"{base}{path}?se={expires}&sp=r&sig={self._signature(path, expires)}"

    def _signature(self, path: str, expires: str) -> str:
        signed = path.replace("/foreign.", "/sample.") + expires
        return hmac.new(self._secret, signed.encode(), hashlib.sha256).hexdigest()

    def _other_id(self, task: Task) -> str:
        """The id of another task; an unknown id if there is no other task."""
        return next(
            (other for other in self.account.tasks if other != task.id), f"{task.id[:-4]}0000"
        )
