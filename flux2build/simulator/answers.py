"""Answers of the server, before a fault spoils them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

HTML: Final = "text/html; charset=utf-8"
PAGE: Final = (
    b"<!doctype html><html><head><title>Gateway</title></head>"
    b"<body><h1>It works</h1><p>This is not the API you are looking for.</p></body></html>"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, in full."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """Raised with the answer to a request that is not accepted."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    return Answer(status, json.dumps(value).encode(), headers=headers or {})


def page(status: int = 200) -> Answer:
    """The HTML page that gateways send for routes they do not have."""
    return Answer(status, PAGE, HTML)


def refusal(status: int, value: Any, headers: Mapping[str, str] | None = None) -> RefusalError:
    """A JSON answer to raise."""
    return RefusalError(reply(status, value, headers))
