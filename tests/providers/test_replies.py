"""What the providers' replies have in common: refusals, waits, messages, amounts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.digest import of_json
from flux2build.ledger import Ticketed, entry_from_json, entry_to_json
from flux2build.providers.contract import Refusal, Reply
from flux2build.providers.protocol import CREDIT
from flux2build.providers.replies import (
    address,
    amount,
    fields,
    message,
    progress,
    refused,
    root,
    task_of,
    text_or_none,
    whole,
)


def _reply(body: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, headers, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"detail": "no"}, "no"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "bad"}]}, "body.seed: bad"),
        ({"error": "e", "message": "m"}, "m"),
        ({"error": {"message": "inner"}}, "inner"),
        ({"error": {"code": 3}}, "code: 3"),
        ({"detail": ["one", None, "two"]}, "one; two"),
        ({"detail": None}, "HTTP 418"),
        ({}, "HTTP 418"),
        ([], "HTTP 418"),
    ],
)
def test_message_is_found_wherever_a_server_puts_it(body: Any, expected: str) -> None:
    """FastAPI, gateways and Replicate put their message in different places."""
    assert expected == message(_reply(body, 418))


def test_page_is_named_as_such() -> None:
    """An HTML page is not quoted."""
    assert message(Reply(502, {}, b"  <html>secret</html>")) == "HTTP 502, an HTML page"


@pytest.mark.parametrize(
    ("header", "text", "expected"),
    [
        ("7", "", 7.0),
        ("", "resets in ~12s.", 12.0),
        ("", "wait 1.5 seconds", 1.5),
        ("soon", "", None),
        ("", "24 active tasks", None),
    ],
)
def test_wait_is_read_from_header_or_text(header: str, text: str, expected: float | None) -> None:
    """A header wins; else the seconds that a text names; else nothing is known."""
    refusal = refused(_reply({"detail": text}, 429, **{"retry-after": header}))

    assert refusal is not None
    assert expected == refusal.retry_after


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"detail": "bad"}, Refusal.INVALID),
        (422, {"detail": "Invalid API key format"}, Refusal.CREDENTIALS),
        (401, {}, Refusal.CREDENTIALS),
        (403, {"error": {"message": "x", "code": "insufficient_user_quota"}}, Refusal.CREDITS),
        (402, {}, Refusal.CREDITS),
        (429, {"error": {"code": "insufficient_quota"}}, Refusal.CREDITS),
        (429, {"detail": "slow down"}, Refusal.RATE_LIMITED),
    ],
)
def test_refusals_are_distinguished(status: int, body: Any, expected: Refusal) -> None:
    """A wrong request, a wrong key and an empty account are different refusals."""
    found = refused(_reply(body, status))

    assert found is not None
    assert found.refusal is expected


@pytest.mark.parametrize("task", ["", "a b", "a/../b", "a\n", "x" * 201, 7, None, "é"])
def test_odd_ids_are_not_tasks(task: Any) -> None:
    """An id must be fit for a URL and a log line."""
    assert task_of({"id": task}) is None


def test_amounts_are_exact_dollars() -> None:
    """Credits become dollars without binary fractions; nonsense becomes nothing."""
    found = fields(Reply(200, {}, b'{"cost": 1.6}'))

    assert found is not None
    assert amount(found["cost"], CREDIT) == Decimal("0.016")
    assert amount(Decimal("NaN"), CREDIT) is None
    assert amount(-1, CREDIT) is None
    assert amount(True, CREDIT) is None  # noqa: FBT003  # a JSON value
    assert amount(3, None) is None
    assert amount(10**9, CREDIT) is None


@given(st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{1,50})?([eE][+-]?[0-9]{1,30})?", fullmatch=True))
def test_every_cost_can_be_written_down(number: str) -> None:
    """Whatever number a server names, the ledger can be read again with it."""
    found = fields(Reply(200, {}, b'{"cost": %s}' % number.encode()))
    cost = amount(found["cost"], CREDIT) if found else None
    entry = Ticketed(order=of_json(0), attempt="a", at="", task="t", poll="", cost=cost)

    assert entry_from_json(entry_to_json(entry)) == entry


@pytest.mark.parametrize("value", ["https://[x", "https://a.example/\ud800", "https://", "ftp://a"])
def test_odd_addresses_are_none(value: str) -> None:
    """A URL that cannot be fetched is not an address."""
    assert address(value) is None


def test_what_a_server_says_can_be_locked() -> None:
    """Half an emoji in a prompt is replaced, and a seed fits into a lock."""
    assert text_or_none("a fox \ud83e") == "a fox ?"
    assert (whole(2**63), whole(2**63 - 1)) == (None, 2**63 - 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0.0), (Decimal("0.5"), 0.5), (1, 1.0), (50, 0.5), (-1, None), (101, None), ("1", None)],
)
def test_progress_is_a_share(value: Any, expected: float | None) -> None:
    """Progress is between 0 and 1, also where a server counts to 100."""
    assert expected == progress(value)


@pytest.mark.parametrize(
    "endpoint",
    ["https://a.example", "https://a.example/", "https://a.example/v1", "https://a.example/v1/"],
)
def test_endpoint_is_written_as_people_like(endpoint: str) -> None:
    """A slash or a version at the end changes nothing."""
    assert root(endpoint) == "https://a.example"


def test_deeply_nested_json_is_not_an_object() -> None:
    """A reply that would exhaust the stack is read as no reply."""
    assert fields(Reply(200, {}, b"[" * 200_000)) is None
    assert fields(Reply(200, {}, b'{"detail": ' + b"[" * 300 + b"]" * 300 + b"}")) is None
