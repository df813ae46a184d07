"""The contract of a dialect: how one API asks for keys, reads orders and reports on tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

from flux2build.simulator.account import READY, Reason, Task
from flux2build.simulator.answers import Answer
from flux2build.simulator.orders import Uploaded, Wanted
from flux2build.simulator.scenario import Rule, Scenario


@dataclass(frozen=True, slots=True)
class Desk:
    """What a dialect may know while it reads an order."""

    scenario: Scenario
    uploaded: Uploaded


@dataclass(frozen=True, slots=True)
class Report:
    """What is said about a task, before a dialect words it."""

    task: Task
    id: str
    status: str
    """In the words of BFL, or any word that a rule puts there."""
    progress: float
    cost: Decimal | None
    seed: int
    told: str
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

    def read(self, model: str, body: Any, desk: Desk) -> tuple[Wanted, list[str]]:
        """An order, and the fields in it that the API does not have.

        Raises:
            RefusalError: the API would not accept it.
        """

    def malformed(self, message: str) -> Answer:
        """The answer to a body that is no JSON object."""

    def refused(self, reason: Reason, retry_after: str | None) -> Answer:
        """The answer when the account does not allow an order."""

    def accepted(self, report: Report, rule: Rule | None) -> Answer:
        """The answer to an order that was accepted."""

    def polled(self, report: Report) -> Answer:
        """The answer to a question about a task."""

    def unknown(self, task: str) -> Answer:
        """The answer to a question about a task that is not there."""


def tampered(report: Report, rule: Rule | None, stranger: str) -> Report:
    """A report after a rule of the stage `poll` had its way; `stranger` is another id."""
    if rule is None:
        return report
    if rule.fault == "status":
        url = report.url if rule.status == READY else None
        return replace(report, status=str(rule.status), url=url)
    if rule.fault == "foreign-id":
        return replace(report, id=stranger)
    return report if report.url is None else _with_another_picture(report, rule, report.url)


def _with_another_picture(report: Report, rule: Rule, url: str) -> Report:
    match rule.fault:
        case "foreign-sample":
            url = url.replace("/sample.", "/foreign.")
            return replace(report, url=url, seed=report.seed ^ 1, told="somebody else's picture")
        case "sample-elsewhere":
            return replace(report, url=rule.to)
        case "missing-sample":
            return replace(report, url=None)
        case _:
            return report


def key_in(headers: Mapping[str, str], scheme: str = "Bearer") -> str | None:
    """The key of an `Authorization` header with a scheme."""
    given, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() or None if given.lower() == scheme.lower() else None


def parsed(body: bytes) -> dict[str, Any]:
    """A body as a JSON object.

    Raises:
        ValueError: it is none.
    """
    value = json.loads(body)
    if not isinstance(value, dict):
        raise TypeError("Input should be a valid dictionary")
    return value


def number(amount: Decimal) -> float | int:
    """A decimal as the JSON number that APIs send."""
    return int(amount) if amount == int(amount) else float(amount)
