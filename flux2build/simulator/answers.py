"""Answers of the server before a fault spoils them, and reports on tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.simulator.account import READY, Task
from flux2build.simulator.scenario import Rule

JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"
PAGE: Final = (
    b"<!doctype html><html><head><title>Gateway</title></head>"
    b"<body><h1>It works</h1><p>This is not the API you are looking for.</p></body></html>"
)


class Answer(Struct, frozen=True):
    """A response, in full."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """Raised with the answer to a request that is not accepted."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    return Answer(status, compact(value), headers=headers or {})


def compact(value: Any) -> bytes:
    """JSON as FastAPI and Replicate write it: without blanks, and without escapes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def page() -> Answer:
    """The HTML page that gateways send for routes they do not have."""
    return Answer(200, PAGE, HTML)


def refusal(status: int, value: Any, headers: Mapping[str, str] | None = None) -> RefusalError:
    """A JSON answer to raise."""
    return RefusalError(reply(status, value, headers))


class TaskReport(Struct, frozen=True):
    """The facts about a task in an answer, before a dialect words them."""

    task: Task
    id: str
    status: str
    """A status of BFL, or any word that a rule puts there."""
    newer: bool
    """Whether BFL shows the states that it added with FLUX.3."""
    progress: float
    cost: Decimal | None
    seed: int
    reported_prompt: str
    echo: Mapping[str, Any]
    base: str
    """The base URL that the client used."""
    url: str | None
    """Where the picture is; None unless it is ready."""


def tampered(report: TaskReport, rule: Rule | None, other_id: str) -> TaskReport:
    """A report, falsified by a rule of the stage `poll`; `other_id` is the id of another task."""
    match rule.fault if rule else None:
        case "status" if rule:
            url = report.url if rule.status == READY else None
            return replace(report, status=str(rule.status), newer=True, url=url)
        case "foreign-id":
            return replace(report, id=other_id)
        case "foreign-sample" if report.url:
            url, words = report.url.replace("/sample.", "/foreign."), "somebody else's picture"
            return replace(report, url=url, seed=report.seed ^ 1, reported_prompt=words)
        case "sample-elsewhere" if rule and report.url:
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
