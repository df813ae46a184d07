"""Everything that one simulated world knows; the routes only ask it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from flux2build.simulator.account import READY, REFUNDED, Account, Fate, Task, plain
from flux2build.simulator.dialect import Desk, Dialect, Report, tampered
from flux2build.simulator.orders import Wanted
from flux2build.simulator.prices import CREDIT
from flux2build.simulator.rules import Rules
from flux2build.simulator.scenario import Rule, Scenario
from flux2build.simulator.spool import Spool

Clock = Callable[[], float]

_MINUTES: Final = 600.0
_HOUR: Final = 3600.0


class Simulation:
    """The tasks, charges and faults behind all dialects."""

    def __init__(self, scenario: Scenario | None = None, *, clock: Clock = time.time) -> None:
        self.now = clock
        self._first = scenario or Scenario()
        self._secret = secrets.token_bytes(32)
        self.reset()

    def reset(self) -> None:
        """Forget all that happened, and return to the scenario of the start."""
        self.spool = Spool()
        self.unknown: Counter[tuple[str, str, str]] = Counter()
        self.rebuilt_polls = 0
        self.account = Account(self._first, secrets.token_hex(8))
        self.change(self._first)

    def change(self, scenario: Scenario) -> None:
        """Go on under another scenario; what was charged stays charged."""
        self.scenario = scenario
        self.account.scenario = scenario
        self.rules = Rules(scenario.rules)

    @property
    def desk(self) -> Desk:
        """What a dialect may know while it reads an order."""
        return Desk(self.scenario, self.spool.uploads.get)

    def accept(self, dialect: str, wanted: Wanted, rule: Rule | None) -> Task:
        """An order accepted and charged.

        Raises:
            AccountRefusalError: the account does not allow it.
        """
        task = self.account.accept(dialect, wanted, self._fate(wanted, rule), self.now())
        self.spool.remember(task.id, wanted)
        return task

    def note_unknown(self, dialect: str, model: str, fields: list[str]) -> None:
        """Remember fields that the API would have ignored in silence."""
        self.unknown.update((dialect, model, name) for name in fields)

    def report(
        self, task: Task, base: str, rule: Rule | None = None, *, at: float | None = None
    ) -> Report:
        """What is to be said about a task, now or at another moment, after a rule had its way."""
        now = self.now() if at is None else at
        if rule is not None and rule.fault == "status":
            self._end(task, str(rule.status), now)
        kept = self.spool.recall(task.id)
        status = task.status(now)
        expired = rule is not None and rule.fault == "expired-url"
        honest = Report(
            task=task,
            id=task.id,
            status=status,
            progress=task.progress(now),
            cost=task.credits if self.scenario.final_cost else None,
            seed=task.seed,
            told=kept["told"],
            echo=kept["echo"],
            base=base,
            url=self._sign(task, base, expired=expired) if status == READY else None,
        )
        return tampered(honest, rule, self._stranger(task))

    def admits(self, path: str, expires: str, signature: str) -> bool:
        """Whether a result URL was given out here and still holds."""
        if not hmac.compare_digest(signature, self._signature(path, expires)):
            return False
        return float(expires) >= self.now()

    def state(self, dialects: list[Dialect]) -> dict[str, Any]:
        """What went on so far, in numbers."""
        now = self.now()
        names = sorted({dialect.name for dialect in dialects})
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
        """What stands charged, what was given back, and the sum of what stands."""
        now = self.now()
        standing = self.account.charges(now)
        total = sum((Decimal(charge["usd"]) for charge in standing), Decimal(0))
        return {
            "charges": standing,
            "refunds": self.account.charges(now, refunded=True),
            "total_usd": plain(total),
            "credit_usd": plain(CREDIT),
        }

    def _fate(self, wanted: Wanted, rule: Rule | None) -> Fate:
        prompt = wanted.prompt.casefold()
        outcome = READY
        if any(word.casefold() in prompt for word in self.scenario.content_words):
            outcome = "Content Moderated"
        if any(word.casefold() in prompt for word in self.scenario.request_words):
            outcome = "Request Moderated"
        latency = self.scenario.latency
        match rule.fault if rule else None:
            case "outcome" if rule:
                return Fate(latency, str(rule.status))
            case "stuck":
                return Fate(float("inf"))
            case "ready-at-once":
                return Fate(0)
            case "price" if rule:
                return Fate(latency, outcome, rule.factor)
            case _:
                return Fate(latency, outcome)

    def _end(self, task: Task, status: str, now: float) -> None:
        """A status that says that a task is over without a picture makes it so."""
        if status in REFUNDED and not task.refunded(now):
            self.account.end(task, status, now)

    def _sign(self, task: Task, base: str, *, expired: bool) -> str:
        life = self.scenario.expiry
        if life is None:
            hourly = task.dialect == "replicate" or task.model == "flux-3-image"
            life = _HOUR if hourly else _MINUTES
        path = f"/delivery/{task.id}/sample.{task.format}"
        expires = f"{self.now() - 1 if expired else self.now() + life:.3f}"
        return f"{base}{path}?se={expires}&sp=r&sig={self._signature(path, expires)}"

    def _signature(self, path: str, expires: str) -> str:
        signed = path.replace("/foreign.", "/sample.") + expires
        return hmac.new(self._secret, signed.encode(), hashlib.sha256).hexdigest()

    def _stranger(self, task: Task) -> str:
        """Another id: of another task where there is one."""
        return next(
            (other for other in self.account.tasks if other != task.id), f"{task.id[:-4]}0000"
        )
