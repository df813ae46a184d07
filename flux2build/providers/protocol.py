"""What the providers' replies have in common: JSON, refusals, and the shape of BFL's API.

A member of the family says how it differs; what is the same is said here.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlsplit

from flux2build.digest import Json
from flux2build.model import Order
from flux2build.providers.contract import (
    InDoubt,
    Ready,
    Reference,
    Refusal,
    Refused,
    Reply,
    Ticket,
    Waiting,
)

Fields = Mapping[str, Any]

CREDIT: Final = Decimal("0.01")
"""USD in one credit of Black Forest Labs."""

_TASK: Final = re.compile(r"[A-Za-z0-9_.:=-]{1,200}")
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)\s*s(?:ec|\b)", re.IGNORECASE)
_BAD_KEY: Final = re.compile(r"invalid (api )?(key|token)|api key format|unauthor", re.IGNORECASE)
_NO_MONEY: Final = re.compile(
    r"insufficient|quota|balance|out of credit|not enough credit", re.IGNORECASE
)
_MOST_UNITS: Final = 10**6
"""A cost of more is no cost of a picture."""
_PLACES: Final = 12
"""Decimals of a dollar that are kept."""
_PICTURE: Final = (".png", ".jpg", ".jpeg", ".webp")

_REFUSALS: Final = {
    400: Refusal.INVALID,
    401: Refusal.CREDENTIALS,
    402: Refusal.CREDITS,
    403: Refusal.CREDENTIALS,
    404: Refusal.INVALID,
    413: Refusal.INVALID,
    422: Refusal.INVALID,
    429: Refusal.RATE_LIMITED,
}
"""The closed list: these statuses prove that an order was not accepted, no other does."""


def base(endpoint: str) -> str:
    """An endpoint as people write it, without a trailing slash or version."""
    return endpoint.rstrip("/").removesuffix("/v1")


def fields(reply: Reply) -> Fields | None:
    """The JSON object of a reply, with exact decimals; None when it is anything else."""
    try:
        found = json.loads(reply.body, parse_float=_decimal)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) and _shallow(found) else None


def _decimal(text: str) -> Decimal | None:
    """A number of JSON; None for one beyond all bounds."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def _shallow(value: object, levels: int = 32) -> bool:
    """Whether a value is nested no deeper than any API has reason to."""
    match value:
        case Mapping():
            inside: Iterable[object] = value.values()
        case list():
            inside = value
        case _:
            return True
    return levels > 0 and all(_shallow(each, levels - 1) for each in inside)


def said(reply: Reply) -> str:
    """What the server says is wrong, in one line."""
    found = fields(reply)
    if found is None:
        page = reply.body.lstrip()[:1] == b"<"
        return f"HTTP {reply.status}, an HTML page" if page else f"HTTP {reply.status}"
    for key in ("detail", "message", "error", "title"):
        if text := _words(found.get(key)):
            return one_line(text)
    return f"HTTP {reply.status}"


def one_line(text: str, most: int = 300) -> str:
    """Untrusted text without line breaks and control codes, and not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: most * 2]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _words(value: object) -> str:
    """The message in FastAPI's `detail`, a gateway's `error`, or a plain string."""
    match value:
        case str():
            return value
        case {"loc": [*loc], "msg": str(msg)}:
            return f"{'.'.join(str(part) for part in loc)}: {msg}"
        case {"message": str(message)}:
            return message
        case Mapping():
            return "; ".join(f"{key}: {_words(item)}" for key, item in value.items())
        case [*items]:
            return "; ".join(filter(None, map(_words, items)))
        case _:
            return "" if value is None else str(value)


def refused(reply: Reply) -> Refused | None:
    """The refusal, when the answer to a submission proves that nothing was accepted."""
    kind = _REFUSALS.get(reply.status)
    if kind is None:
        return None
    text, evidence = said(reply), reply.body[:4096].decode("utf-8", "replace")
    if kind is Refusal.INVALID and _BAD_KEY.search(text):
        kind = Refusal.CREDENTIALS
    elif reply.status in {403, 429} and fields(reply) and _NO_MONEY.search(evidence):
        kind = Refusal.CREDITS
    wait = retry_after(reply, text) if kind is Refusal.RATE_LIMITED else None
    return Refused(kind, text, retry_after=wait)


def retry_after(reply: Reply, text: str = "") -> float | None:
    """Seconds to wait, from the header, else from a text such as "resets in ~12s"."""
    header = reply.headers.get("retry-after", "").strip()
    if header.isdecimal():
        return float(header)
    found = _SECONDS.search(text)
    return float(found[1]) if found else None


def doubt(reply: Reply) -> InDoubt:
    """An answer to a submission that proves nothing."""
    return InDoubt(f"HTTP {reply.status} without a task: {said(reply)}")


def task_of(found: Fields | None) -> str | None:
    """The task's id, when there is one that can stand in a URL and a log."""
    task = found.get("id") if found else None
    return task if isinstance(task, str) and _TASK.fullmatch(task) else None


def amount(value: object, unit: Decimal | None) -> Decimal | None:
    """A cost in USD from a number of units; None when it is missing or makes no sense."""
    if unit is None or isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if not Decimal(value).is_finite() or not 0 <= value <= _MOST_UNITS:
        return None
    cost = abs(value * unit)
    places = -int(cost.as_tuple().exponent)
    return round(cost, _PLACES) if places > _PLACES else cost


def whole(value: object) -> int | None:
    """A whole number that a lock can hold, or None."""
    fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value if fits and isinstance(value, int) else None


def text_or_none(value: object) -> str | None:
    """A text that is not empty, or None; half a character, as of an emoji cut in two, is `?`."""
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


def flux_body(order: Order, references: Sequence[Reference | str]) -> dict[str, Json]:
    """The body that buys in BFL's shape; nothing is in it that the order does not name."""
    body: dict[str, Json] = {"prompt": order.prompt}
    for name, value in order.params.items():
        body["output_format" if name == "format" else name] = value
    sent = [item if isinstance(item, str) else encoded(item) for item in references]
    if "resolution" in order.params:
        return body | ({"images": sent} if sent else {})
    for place, item in enumerate(sent, start=1):
        body["input_image" if place == 1 else f"input_image_{place}"] = item
    return body


def flux_inquiry(root: str, task: str) -> str:
    """The URL that asks for a task by its id alone."""
    return f"{root}/v1/get_result?id={quote(task, safe='')}"


def flux_ticket(
    reply: Reply, root: str, unit: Decimal | None, *, verbatim: bool
) -> Ticket | Refused | InDoubt:
    """What a submission in BFL's shape says; `verbatim` where its `polling_url` is to be asked.

    A 2xx answer is not enough: gateways wrap errors in one. A task's id is.
    """
    if refusal := refused(reply):
        return refusal
    found = fields(reply)
    task = task_of(found)
    if found is None or task is None or not (200 <= reply.status < 300 or "polling_url" in found):
        return doubt(reply)
    state = flux_status(reply, unit)
    if isinstance(state, Refused) and state.refusal is Refusal.REQUEST_MODERATED:
        return state
    told = address(found.get("polling_url"))
    picture = told is not None and urlsplit(told).path.lower().endswith(_PICTURE)
    if picture and told and isinstance(state, Waiting) and found.get("status") == "Ready":
        state = Ready(told, task)
    asked = told if verbatim and told and not picture else flux_inquiry(root, task)
    ready = state if isinstance(state, Ready) else None
    return Ticket(task, asked, amount(found.get("cost"), unit), ready)


def flux_status(reply: Reply, unit: Decimal | None) -> Waiting | Ready | Refused:
    """What `get_result` says; the body counts before the HTTP status.

    States that are not known yet are waited for: new ones have been added before.
    """
    found = fields(reply) or {}
    status = found.get("status")
    cost = amount(found.get("cost"), unit)
    match status:
        case "Ready":
            return _ready(found, cost)
        case "Request Moderated" | "Content Moderated":
            kind = Refusal.REQUEST_MODERATED if status[0] == "R" else Refusal.CONTENT_MODERATED
            return Refused(kind, _why(found) or status.lower(), charged=bool(cost))
        case "Error" | "Failed":
            return Refused(Refusal.FAILED, _why(found) or status.lower(), charged=bool(cost))
        case "Task not found":
            return Refused(Refusal.LOST, "the server does not know the task", charged=True)
        case str():
            return Waiting(one_line(status, 60), progress(found.get("progress")))
        case _:
            return Waiting(said(reply))


def _ready(found: Fields, cost: Decimal | None) -> Waiting | Ready:
    result = found.get("result")
    result = result if isinstance(result, Mapping) else {}
    url = address(result.get("sample"))
    if url is None:
        return Waiting("Ready, without a picture")
    return Ready(
        url,
        task=task_of(found) or "",
        cost=cost,
        seed=whole(result.get("seed")),
        prompt=text_or_none(result.get("prompt")),
    )


def _why(found: Fields) -> str:
    return one_line(_words(found.get("details")) or _words(found.get("error")))


def progress(value: object) -> float | None:
    """Progress from 0 to 1; some servers count to 100."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if not 0 <= value <= 100:
        return None
    return float(value) / (100 if value > 1 else 1)
