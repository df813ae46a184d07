"""Reads servers' replies: JSON, messages, refusals, amounts; never raises.

Every provider's replies are read with these functions, whatever API it speaks.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from flux2build.errors import one_line
from flux2build.providers.contract import (
    HasClaim,
    InDoubt,
    Reference,
    Refusal,
    Refused,
    Reply,
    Ticket,
    is_task,
)

Fields = Mapping[str, Any]

_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)\s*s(?:ec|\b)", re.IGNORECASE)
_BAD_KEY: Final = re.compile(r"invalid (api )?(key|token)|api key format|unauthor", re.IGNORECASE)
_NO_MONEY: Final = re.compile(
    r"insufficient|quota|balance|out of credit|not enough credit", re.IGNORECASE
)
_MODERATION: Final = re.compile(
    r"flagged|moderat|nsfw|sensitive content|content[ _-]?(policy|filter)"
    r"|safety (system|filter|checker)|\bE005\b",
    re.IGNORECASE,
)
_MOST_UNITS: Final = 10**6
"""No picture costs more units than this."""
_SHORTEST_ID: Final = 6
_PLACES: Final = 12
"""Decimals of a dollar that are kept."""

_REFUSALS: Final = {
    400: Refusal.INVALID,
    401: Refusal.CREDENTIALS,
    402: Refusal.CREDITS,
    403: Refusal.CREDENTIALS,
    404: Refusal.INVALID,
    405: Refusal.INVALID,
    413: Refusal.INVALID,
    422: Refusal.INVALID,
    429: Refusal.RATE_LIMITED,
}
"""The statuses that prove that an order was not accepted; other statuses prove nothing."""


def root(endpoint: str) -> str:
    """An endpoint without the trailing slash or version that people may have written."""
    return endpoint.rstrip("/").removesuffix("/v1")


def fields(reply: Reply) -> Fields | None:
    """The JSON object of a reply, with exact decimals; None if it is anything else."""
    try:
        value = json.loads(reply.body, parse_float=_decimal)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) and _shallow(value) else None


def _decimal(text: str) -> Decimal | None:
    """A number of JSON; None if it is out of bounds."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def _shallow(value: object, levels: int = 32) -> bool:
    """Whether a value is nested no deeper than a real API's replies."""
    match value:
        case Mapping():
            inside: Iterable[object] = value.values()
        case list():
            inside = value
        case _:
            return True
    return levels > 0 and all(_shallow(each, levels - 1) for each in inside)


def message(reply: Reply) -> str:
    """The server's error message, in one line."""
    body = fields(reply)
    if body is None:
        page = reply.body.lstrip()[:1] == b"<"
        return f"HTTP {reply.status}, an HTML page" if page else f"HTTP {reply.status}"
    for key in ("detail", "message", "error", "title"):
        if text := words(body.get(key)):
            return one_line(text)
    return f"HTTP {reply.status}"


def words(value: object) -> str:
    """The message in FastAPI's `detail`, a gateway's `error`, or a plain string."""
    match value:
        case str():
            return value
        case {"loc": [*loc], "msg": str(msg)}:
            return f"{'.'.join(str(part) for part in loc)}: {msg}"
        case {"message": str(text)}:
            return text
        case Mapping():
            return "; ".join(f"{key}: {words(item)}" for key, item in value.items())
        case [*items]:
            return "; ".join(filter(None, map(words, items)))
        case _:
            return "" if value is None else str(value)


def moderation(text: str) -> bool:
    """Whether a message says that an order, or its picture, was moderated."""
    return _MODERATION.search(text) is not None


def refused(reply: Reply) -> Refused | None:
    """The refusal, if the answer to a submission proves that nothing was accepted."""
    kind = _REFUSALS.get(reply.status)
    if kind is None:
        return None
    text, evidence = message(reply), reply.body[:4096].decode("utf-8", "replace")
    if kind in {Refusal.INVALID, Refusal.CREDENTIALS} and moderation(text):
        return Refused(Refusal.REQUEST_MODERATED, text)
    if kind is Refusal.INVALID and _BAD_KEY.search(text):
        kind = Refusal.CREDENTIALS
    elif reply.status in {403, 429} and fields(reply) and _NO_MONEY.search(evidence):
        kind = Refusal.CREDITS
    wait = _wait(reply, text) if kind is Refusal.RATE_LIMITED else None
    return Refused(kind, text, retry_after=wait)


def _wait(reply: Reply, text: str) -> float | None:
    """Seconds to wait, from the header, else from a text such as "resets in ~12s"."""
    if reply.retry_after is not None:
        return reply.retry_after
    seconds = _SECONDS.search(text)
    return float(seconds[1]) if seconds else None


def doubt(reply: Reply) -> InDoubt:
    """An answer to a submission that proves nothing."""
    return InDoubt(f"HTTP {reply.status} without a task: {message(reply)}")


def ticket(provider: HasClaim, reply: Reply, endpoint: str) -> Ticket | Refused | InDoubt:
    """`ticket` for an API that answers an order with 2xx and the task's `id`, or its URL."""
    if refusal := refused(reply):
        return refusal
    body = fields(reply) or {}
    urls = body.get("urls")
    named = task_named_by(urls.get("get")) if isinstance(urls, Mapping) else None
    task = task_of(body) or named
    if task is None or not 200 <= reply.status < 300:
        return doubt(reply)
    return provider.claim(task, endpoint)


def task_of(body: Fields | None) -> str | None:
    """The task's id, if there is one that is fit for a URL and a log."""
    task = body.get("id") if body else None
    return task if is_task(task) else None


def task_named_by(url: object) -> str | None:
    """The task that a URL asks for, by its parameter or the end of its path."""
    if (url := address(url)) is None:
        return None
    parts = urlsplit(url)
    named = [value for key in ("id", "task_id") for value in parse_qs(parts.query).get(key, ())]
    named += [parts.path.rpartition("/")[2]] if not named else []
    return next((task for task in named if is_task(task) and _names_one(task)), None)


def _names_one(text: str) -> bool:
    """Whether a part of a URL looks like an id, and not like a version or an action."""
    return len(text) >= _SHORTEST_ID and any(map(str.isdigit, text))


def amount(value: object, unit: Decimal | None, most: int = _MOST_UNITS) -> Decimal | None:
    """An amount in USD from a number of units; None if it is missing or makes no sense."""
    if unit is None or (units := _figure(value, most)) is None:
        return None
    cost = abs(units * unit)
    places = -int(cost.as_tuple().exponent)
    return round(cost, _PLACES) if places > _PLACES else cost


def progress(value: object) -> float | None:
    """Progress from 0 to 1; some servers count to 100."""
    figure = _figure(value, 100)
    return None if figure is None else float(figure) / (100 if figure > 1 else 1)


def _figure(value: object, most: int) -> Decimal | None:
    """A number of JSON from 0 to `most`, or None."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value) if Decimal(value).is_finite() and 0 <= value <= most else None


def whole(value: object) -> int | None:
    """A whole number that a lock can hold, or None."""
    fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value if fits and isinstance(value, int) else None


def text_or_none(value: object) -> str | None:
    """A text that is not empty, or None; a lone surrogate, such as half an emoji, becomes `?`."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and value else None


def address(value: object) -> str | None:
    """A URL that could be fetched, or None."""
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        return None
    try:
        return value if value.isprintable() and urlsplit(value).hostname else None
    except ValueError:
        return None


def encoded(reference: Reference) -> str:
    """A reference's bytes as base64."""
    return base64.b64encode(reference.data).decode("ascii")


def data_url(reference: Reference) -> str:
    """A reference as a `data:` URL."""
    return f"data:{reference.media_type};base64,{encoded(reference)}"
