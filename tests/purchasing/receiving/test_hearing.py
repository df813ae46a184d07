"""A message leads to an order only if its URL and its signature are both right."""

from __future__ import annotations

import base64
import hashlib
import hmac
from http import HTTPStatus
from typing import Final

import pytest
from msgspec.structs import replace

from flux2build.model import Order
from flux2build.providers.contract import Message
from flux2build.purchasing.receiving.hearing import Answer, Heard, Hearing
from flux2build.purchasing.webhooks import Webhooks
from tests.purchasing.test_webhooks import HOOKS, INTENDED, ORDER, path_of

NOW: Final = 1_764_212_400
KEY: Final = b"the account's key, of 24 bytes or more"
HEARING: Final = Hearing(HOOKS, {"replicate": f"whsec_{base64.b64encode(KEY).decode()}"})
BODY: Final = b'{"id":"task-1"}'


def path(provider: str = "bfl", hooks: Webhooks = HOOKS, order: Order = ORDER) -> str:
    """Where an order is called back."""
    return path_of(hooks.callback(order, replace(INTENDED, provider=provider)).url)


def by_bfl(at: str, body: bytes = BODY, hooks: Webhooks = HOOKS) -> Message:
    """What BFL posts there, signed with the secret of the order."""
    called = hooks.called(at)
    assert called is not None
    digest = hmac.new(called.callback.secret.encode(), body, hashlib.sha256).hexdigest()
    return Message({"x-bfl-signature": f"sha256={digest}"}, body)


def by_replicate(body: bytes = BODY, at: int = NOW) -> Message:
    """What Replicate posts, signed with the secret of the account."""
    digest = hmac.new(KEY, f"msg.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    headers = ("msg", str(at), signature)
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return Message(dict(zip(names, headers, strict=True)), body)


def status(answer: Heard | Answer) -> int:
    """The status of an answer; 0 where the message is believed."""
    return 0 if isinstance(answer, Heard) else answer.status


@pytest.mark.parametrize("provider", ["bfl", "replicate"])
def test_a_message_names_its_order_and_its_task(provider: str) -> None:
    """Each provider is believed by its own signature, at the URL of its own order."""
    at = path(provider)
    message = by_bfl(at) if provider == "bfl" else by_replicate()

    heard = HEARING.heard(at, message, NOW)

    assert isinstance(heard, Heard)
    assert (heard.task, heard.called.intended.attempt) == ("task-1", INTENDED.attempt)


@pytest.mark.parametrize(
    ("at", "message", "expected"),
    [
        ("", by_replicate(), HTTPStatus.NOT_FOUND),
        ("bfl/x.y", by_replicate(), HTTPStatus.NOT_FOUND),
        (path("bfl", replace(HOOKS, secret="t" * 32)), by_replicate(), HTTPStatus.NOT_FOUND),
        (path("cometapi"), by_replicate(), HTTPStatus.NOT_FOUND),
        (path("nobody"), by_replicate(), HTTPStatus.NOT_FOUND),
        (path("bfl"), by_replicate(), HTTPStatus.UNAUTHORIZED),
        (path("replicate"), by_bfl(path("bfl")), HTTPStatus.UNAUTHORIZED),
        (path("replicate"), by_replicate(at=NOW - 301), HTTPStatus.UNAUTHORIZED),
        (path("replicate"), by_replicate(b"{}"), HTTPStatus.UNAUTHORIZED),
        (path("bfl"), by_bfl(path("bfl", order=replace(ORDER, take=9))), HTTPStatus.UNAUTHORIZED),
        (path("bfl"), Message({}, BODY), HTTPStatus.UNAUTHORIZED),
    ],
)
def test_what_is_not_proved_is_not_heard(at: str, message: Message, expected: int) -> None:
    """An invented URL is refused, and so is another key's, an old or another order's signature."""
    assert status(HEARING.heard(at, message, NOW)) == expected


def test_without_the_secret_of_the_account_nobody_is_believed() -> None:
    """An empty secret is not a key that anybody has."""
    hearing = replace(HEARING, secrets={})
    digest = hmac.new(b"", f"msg.{NOW}.".encode() + BODY, hashlib.sha256).digest()
    forged = by_replicate()
    headers = {**forged.headers, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}

    assert status(hearing.heard(path("replicate"), Message(headers, BODY), NOW)) == 401
