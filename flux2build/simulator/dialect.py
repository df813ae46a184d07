"""The contract of a dialect: how one API asks for keys, reads orders and reports on tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

from flux2build.simulator.account import READY, Reason, Task
from flux2build.simulator.answers import Answer
from flux2build.simulator.orders import ReceivedOrder, Uploaded
from flux2build.simulator.scenario import Rule, Scenario


@dataclass(frozen=True, slots=True)
class TaskReport:
    """What an answer tells of a task, before a dialect words it."""

    task: Task
    id: str
    status: str
    """A status of BFL, or any word that a rule puts there."""
    progress: float
    cost: Decimal | None
    seed: int
    reported_prompt: str
    echo: Mapping[str, Any]
    base: str
    """The base URL that the client used."""
    url: str | None
    """Where the picture is; None unless it is ready."""


class Dialect(Protocol):
    """One API."""

    @property
    def name(self) -> str:
        """`bfl`, `cometapi` or `replicate`."""

    def authenticate(self, headers: Mapping[str, str], keys: Sequence[str]) -> None:
        """Let a request pass.

        Raises:
            RefusalError: there is no key, or not where it belongs, or not a good one.
        """

    def read(
        self, model: str, body: Any, scenario: Scenario, uploaded: Uploaded
    ) -> tuple[ReceivedOrder, list[str]]:
        """An order, and the fields in it that the API does not have.

        Raises:
            RefusalError: the API would not accept it.
        """

    def malformed(self, message: str) -> Answer:
        """The answer to a body that is not a JSON object."""

    def refused(self, reason: Reason, retry_after: str | None) -> Answer:
        """The answer when the account does not allow an order."""

    def accepted(self, report: TaskReport, rule: Rule | None) -> Answer:
        """The answer to an order that was accepted."""

    def polled(self, report: TaskReport) -> Answer:
        """The answer to a question about a task."""

    def unknown(self, task: str) -> Answer:
        """The answer to a question about a task that does not exist."""


def tampered(report: TaskReport, rule: Rule | None, other_id: str) -> TaskReport:
    """A report as a rule of the stage `poll` falsifies it; `other_id` is that of another task."""
    if rule is None:
        return report
    if rule.fault == "status":
        url = report.url if rule.status == READY else None
        return replace(report, status=str(rule.status), url=url)
    if rule.fault == "foreign-id":
        return replace(report, id=other_id)
    return report if report.url is None else _with_another_picture(report, rule, report.url)


def _with_another_picture(report: TaskReport, rule: Rule, url: str) -> TaskReport:
    match rule.fault:
        case "foreign-sample":
            url = url.replace("/sample.", "/foreign.")
            return replace(
                report, url=url, seed=report.seed ^ 1, reported_prompt="somebody else's picture"
            )
        case "sample-elsewhere":
            return replace(report, url=rule.to)
        case "missing-sample":
            return replace(report, url=None)
        case _:
            return report


def key_in(headers: Mapping[str, str], scheme: str = "Bearer") -> str | None:
    """The key of an `Authorization` header with a scheme."""
    used_scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() or None if used_scheme.lower() == scheme.lower() else None


def parsed(body: bytes) -> dict[str, Any]:
    """A body as a JSON object.

    Raises:
        ValueError: it is not JSON.
        TypeError: it is JSON, but not an object.
    """
    value = json.loads(body)
    if not isinstance(value, dict):
        raise TypeError("Input should be a valid dictionary")
    return value


def number(amount: Decimal) -> float | int:
    """A decimal as the JSON number that APIs send."""
    return int(amount) if amount == int(amount) else float(amount)
