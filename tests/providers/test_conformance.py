"""The laws of every remote provider, held for each from its cards and its recorded replies.

A new provider needs no line here: its module, its cards and a folder `replies/<name>/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import asdict

from flux2build.digest import canonical
from flux2build.model import Order
from flux2build.providers import PROVIDERS
from flux2build.providers.capabilities import Card
from flux2build.providers.contract import (
    Call,
    InDoubt,
    Ready,
    Reference,
    Refused,
    Remote,
    Reply,
    Ticket,
    Waiting,
)
from flux2build.purchasing.http.address_policy import matches
from tests.providers import smallest

REPLIES: Final = Path(__file__).parent / "replies"
REMOTES: Final = [
    *(member for member in PROVIDERS.values() if isinstance(member, Remote)),
    smallest.PROVIDER,
]
PROOF: Final = {400, 401, 402, 403, 404, 405, 413, 422, 429}
KEY: Final = "canary-key-0123456789"
PIXELS: Final = Reference("a.png", b"\x89PNG first", "image/png")
OTHERS: Final = [Reference(f"{n}.png", b"\x89PNG %d" % n, "image/png") for n in range(2, 11)]

CARDS: Final = [
    pytest.param(remote, card, id=f"{remote.name}:{card.model}")
    for remote in REMOTES
    for card in remote.cards.values()
]
RECORDED: Final = [
    pytest.param(remote, path, id=f"{remote.name}:{path.stem}")
    for remote in REMOTES
    for path in sorted((REPLIES / remote.name).glob("*.json"))
]

REMOTE: Final = pytest.mark.parametrize("remote", REMOTES, ids=lambda remote: remote.name)
CARD: Final = pytest.mark.parametrize(("remote", "card"), CARDS)


def _recorded(path: Path) -> tuple[Mapping[str, Any], Reply]:
    found = json.loads(path.read_text(encoding="utf-8"))
    text = found["text"] if "text" in found else json.dumps(found["body"])
    return found, Reply(found["status"], found.get("headers", {}), text.encode())


def _sample(card: Card, name: str) -> Any:
    if name in card.defaults:
        return card.defaults[name]
    if name in card.choices:
        return card.choices[name][0]
    if name in card.ranges:
        return int(card.ranges[name][0]) + 1
    return {"format": "png", "disable_pup": True}.get(name, 64)


def _another(card: Card, name: str) -> Any:
    sample = _sample(card, name)
    if isinstance(sample, bool):
        return not sample
    if name == "format":
        return "jpeg"
    if name in card.choices:
        return next(choice for choice in card.choices[name] if choice != sample)
    return sample + 1


def _order(card: Card, **changed: Any) -> Order:
    params = {name: _sample(card, name) for name in card.params}
    return Order(card.model, "a “fox”", params | changed, ())


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value


def _agrees(expected: Mapping[str, Any], answer: object) -> None:
    assert isinstance(answer, Struct)
    found = asdict(answer)
    for name, value in expected.items():
        if name == "kind":
            assert value == type(answer).__name__
        elif isinstance(value, dict):
            _agrees(value, found[name])
        else:
            assert value == _plain(found[name]), name


def test_remote_providers_are_discovered() -> None:
    """The suite runs for the three APIs, and for whatever is added."""
    assert {"bfl", "cometapi", "replicate"} <= {remote.name for remote in REMOTES}


@REMOTE
def test_describes_itself(remote: Remote) -> None:
    """A provider has a default model, an https endpoint, and variables of its own."""
    assert remote.default_model in remote.cards
    assert urlsplit(remote.endpoint).scheme == "https"
    assert matches(urlsplit(remote.endpoint).hostname or "", remote.hosts)
    assert remote.in_flight > 0
    assert remote.url_variable.startswith("FLUX2BUILD_")
    assert remote.key_variable != remote.url_variable


@REMOTE
def test_recorded_replies_cover_the_contract(remote: Remote) -> None:
    """Each provider has recorded what was accepted, refused, pending, ready and lost."""
    kinds = {
        (found["stage"], found["expect"].get("kind"))
        for found, _ in map(_recorded, (REPLIES / remote.name).glob("*.json"))
    }

    assert {
        ("ticket", "Ticket"),
        ("ticket", "Refused"),
        ("ticket", "InDoubt"),
        ("status", "Waiting"),
        ("status", "Ready"),
        ("status", "Refused"),
    } <= kinds


@pytest.mark.parametrize(("remote", "path"), RECORDED)
def test_recorded_reply_is_understood(remote: Remote, path: Path) -> None:
    """What a server said is read as the record says it is meant."""
    found, reply = _recorded(path)
    expected = found["expect"]
    if found["stage"] == "ticket":
        _agrees(expected, remote.ticket(reply, remote.endpoint))
    elif found["stage"] == "status":
        _agrees(expected, remote.status(reply))
    elif "url" in expected:
        assert expected["url"] == remote.uploaded(reply)
    else:
        _agrees(expected, remote.uploaded(reply))


@pytest.mark.parametrize(("remote", "path"), RECORDED)
def test_an_end_names_its_task(remote: Remote, path: Path) -> None:
    """What ends an order names the task of the reply, so that nobody else has to read it."""
    found, reply = _recorded(path)
    state = remote.status(reply)
    if isinstance(state, Ready | Refused):
        assert state.task == found["body"].get("id")


@REMOTE
def test_a_task_alone_can_be_claimed(remote: Remote) -> None:
    """An order that is known by its task's id only is asked for at the provider's own address."""
    ticket = remote.claim("abc-1", remote.endpoint)

    assert ticket.task == "abc-1"
    assert "abc-1" in ticket.poll
    assert remote.inquiry(ticket, remote.endpoint) == Call("GET", ticket.poll)
    assert matches(urlsplit(ticket.poll).hostname or "", remote.hosts)
    assert remote.ticket(Reply(200, {}, b'{"id": "abc-1"}'), remote.endpoint) == ticket


@REMOTE
def test_key_is_in_one_header(remote: Remote) -> None:
    """The key travels in exactly one header."""
    [value] = remote.credentials(KEY).values()

    assert KEY in value


@CARD
def test_order_is_sent_whole_and_nothing_else(remote: Remote, card: Card) -> None:
    """The prompt is in the body to the letter, and every parameter changes the body."""
    call = remote.submission(_order(card), (), remote.endpoint)

    assert call.method == "POST"
    assert "a “fox”" in canonical(call.json)
    for name in card.params:
        other = remote.submission(_order(card, **{name: _another(card, name)}), (), remote.endpoint)
        assert canonical(other.json) != canonical(call.json), name


@CARD
def test_equal_orders_are_equal_calls(remote: Remote, card: Card) -> None:
    """A call depends on the order alone."""
    first, again = (remote.submission(_order(card), (), remote.endpoint) for _ in range(2))

    assert first == again


@CARD
def test_references_are_sent_in_their_order(remote: Remote, card: Card) -> None:
    """All references that the card allows travel, in order, inside or by URL."""
    references = (PIXELS, *OTHERS)[: card.references]
    urls = [f"https://files.example/{n}" for n in range(card.references)]

    inside = remote.submission(_order(card), references, remote.endpoint)
    outside = canonical(remote.submission(_order(card), urls, remote.endpoint).json)

    assert len(canonical(inside.json)) > sum(len(item.data) for item in references)
    places = [outside.index(f'"{url}"') for url in urls]
    assert places == sorted(places)


@CARD
@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8765", "http://127.0.0.1:8765/", "http://127.0.0.1:8765/v1"]
)
def test_endpoint_can_be_moved(remote: Remote, card: Card, endpoint: str) -> None:
    """An overridden endpoint receives everything, however it is written."""
    call = remote.submission(_order(card), (), endpoint)
    ticket = remote.ticket(Reply(200, {}, b'{"id": "abc-1"}'), endpoint)

    assert call.url.startswith("http://127.0.0.1:8765/")
    assert "//v1" not in call.url
    assert "/v1/v1" not in call.url
    assert isinstance(ticket, Ticket)
    assert remote.inquiry(ticket, endpoint).url.startswith("http://127.0.0.1:8765/")
    assert "abc-1" in remote.inquiry(ticket, endpoint).url


@REMOTE
def test_pending_order_is_asked_for_with_a_get(remote: Remote) -> None:
    """Asking is free: it is a GET, and its URL is at home."""
    call = remote.inquiry(Ticket("abc-1", f"{remote.endpoint}/v1/x?id=abc-1"), remote.endpoint)

    assert call.method == "GET"
    assert matches(urlsplit(call.url).hostname or "", remote.hosts)


@REMOTE
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"detail": "no"}', b'{"id": "x"}', b"[]"])
def test_closed_list_alone_proves_refusal(remote: Remote, body: bytes) -> None:
    """The statuses of the list are refusals whatever the body; no other status is one."""
    answers = {
        status: remote.ticket(Reply(status, {}, body), remote.endpoint)
        for status in range(200, 600)
    }

    assert {status for status, answer in answers.items() if isinstance(answer, Refused)} == PROOF
    if body != b'{"id": "x"}':
        assert {s for s, answer in answers.items() if isinstance(answer, InDoubt)} == {
            *range(200, 600)
        } - PROOF


@REMOTE
@pytest.mark.parametrize("status", [401, 403, 408, 425, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"detail": "no"}', b"[]", b"null"])
def test_trouble_while_waiting_is_waited_out(remote: Remote, status: int, body: bytes) -> None:
    """An error that says nothing about the task never writes it off."""
    assert isinstance(remote.status(Reply(status, {}, body)), Waiting)


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("id", "status", "result", "sample", "polling_url", "cost", "detail"),
                    *("error", "urls", "get", "output", "details", "progress", "logs"),
                ]
            ),
            inner | st.sampled_from(["Ready", "succeeded", "https://a.example/x.png", "abc"]),
            max_size=6,
        )
    ),
    max_leaves=8,
)


@REMOTE
@given(
    body=st.binary(max_size=64) | JSON.map(lambda value: json.dumps(value).encode()),
    status=st.integers(200, 599),
)
def test_no_reply_breaks_a_provider(remote: Remote, body: bytes, status: int) -> None:
    """Whatever a server sends is read as one of the answers, on one line, and never raises."""
    reply = Reply(status, {"retry-after": "soon"}, body)
    ticket, state = remote.ticket(reply, remote.endpoint), remote.status(reply)

    assert isinstance(remote.uploaded(reply), str | Refused)
    assert isinstance(ticket, Ticket | Refused | InDoubt)
    assert isinstance(state, Waiting | Ready | Refused)
    for answer in (ticket, state):
        if isinstance(answer, Refused | InDoubt):
            assert answer.message.isprintable()


@REMOTE
@pytest.mark.parametrize("status", [200, 422])
@pytest.mark.parametrize(
    "more",
    [
        '"polling_url": "https://[x"',
        '"polling_url": "https://a.example/\\ud800"',
        '"cost": 1e99999999999999999999',
        '"cost": 9e999999999999999999',
        f'"status": "Pending", "progress": 1{"0" * 400}',
        '"status": "Ready", "result": {"sample": "https://[x"}',
        '"status": "succeeded", "output": "https://[x"',
        f'"detail": {"[" * 800}{"]" * 800}',
    ],
)
def test_no_odd_value_breaks_a_provider(remote: Remote, status: int, more: str) -> None:
    """An answer that names a task is read, whatever else is in it: the task was paid for."""
    reply = Reply(status, {}, f'{{"id": "abc", {more}}}'.encode())

    answers = [remote.ticket(reply, remote.endpoint), remote.status(reply), remote.uploaded(reply)]

    if status == 200 and "detail" not in more:
        assert isinstance(answers[0], Ticket)
        assert remote.inquiry(answers[0], remote.endpoint).url.isascii()


@REMOTE
def test_calls_carry_no_key(remote: Remote) -> None:
    """A described call has no headers of its own: the key is attached elsewhere."""
    card = remote.cards[remote.default_model]
    call: Call = remote.submission(_order(card), (), remote.endpoint)

    assert call.headers == {}
