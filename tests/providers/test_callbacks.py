"""What a provider posts counts only if its signature proves who sent it, and just now."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final

import pytest

from flux2build.model import Order
from flux2build.providers import bfl, callbacks, cometapi, replicate
from flux2build.providers.contract import Callback, CallsBack, Message, Remote, Unproved

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENT: Final = 1614265330
BODY: Final = json.dumps({"id": "task-123456", "status": "succeeded"}).encode()
CALLBACK: Final = Callback("https://hooks.example.com/bfl/x.y", "hush")


def signed(body: bytes = BODY, at: str = str(SENT), secret: str = SECRET) -> dict[str, str]:
    """The headers of a message as Standard Webhooks define them."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"msg_1.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": signature}


def told(headers: Mapping[str, str], body: bytes = BODY, now: float = SENT) -> str | Unproved:
    """What Replicate's message says."""
    return callbacks.standard(Message(headers, body), SECRET, now)


def test_the_published_example_of_standard_webhooks() -> None:
    """Its signature is right, so that only the task is missed; any other byte makes it wrong."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": str(SENT),
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    assert told(headers, b'{"test": 2432232314}') == Unproved("it names no task")
    assert told(headers, b'{"test": 2432232315}') == Unproved("its signature is wrong")


@pytest.mark.parametrize("other", ["v1,AAAA", "v1a,hnO3f9T8", "v2", "nonsense", ""])
def test_one_right_signature_of_several_is_enough(other: str) -> None:
    """While a secret is replaced, messages are signed with the old and with the new one."""
    headers = signed()
    headers["webhook-signature"] = f"{other} {headers['webhook-signature']}"

    assert told(headers) == "task-123456"


@pytest.mark.parametrize("off", [-301, 301, 10**9])
def test_an_old_message_is_not_heard(off: int) -> None:
    """A message that somebody recorded and sends again later proves nothing."""
    assert told(signed(), now=SENT + off) == Unproved("it was not sent just now")
    assert told(signed(), now=SENT + off / abs(off) * 299) == "task-123456"


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": ""},
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-timestamp": "1614265330.0"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-timestamp": str(SENT + 1)},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "ÿ" * 80},
        {"webhook-signature": signed()["webhook-signature"].removeprefix("v1,")},
        {"webhook-signature": signed()["webhook-signature"].replace("v1,", "v2,")},
        signed(secret="whsec_" + base64.b64encode(b"another").decode()),
    ],
)
def test_a_message_that_is_not_signed_so_is_not_heard(change: dict[str, str]) -> None:
    """Neither a missing header nor a changed one is overlooked, whatever it holds."""
    assert isinstance(told(signed() | change), Unproved)


@pytest.mark.parametrize("secret", ["", "hush", "whsec_", "whsec_é", "whsec_!", "MfKQ9r8GKYqr"])
def test_what_is_no_secret_signs_nothing(secret: str) -> None:
    """A secret that is not one is refused, instead of an empty key that anybody has."""
    assert callbacks.standard_key(secret) is None
    assert callbacks.standard(Message(signed(), BODY), secret, SENT) == Unproved("it is not signed")


def test_a_secret_may_lack_its_padding() -> None:
    """As some dashboards show it."""
    assert callbacks.standard_key("whsec_YWI") == callbacks.standard_key("whsec_YWI=") == b"ab"


_HMAC: Final = hmac.new(b"hush", BODY, hashlib.sha256)
_HEX: Final = _HMAC.hexdigest()


@pytest.mark.parametrize(
    ("headers", "heard"),
    [
        ({"x-bfl-signature": f"sha256={_HEX}"}, True),
        ({"x-signature": _HEX}, True),
        ({"x-signature": base64.b64encode(_HMAC.digest()).decode()}, True),
        ({"x-bfl-signature": f"sha256={_HEX[:-1]}"}, False),
        ({"x-bfl-signature": f"sha256={'0' * 64}"}, False),
        ({"x-bfl-signature": "ÿ"}, False),
        ({"x-webhook-secret": "hush"}, False),
        ({}, False),
    ],
)
def test_bfl_signs_the_body_with_the_secret_of_the_order(
    headers: dict[str, str],
    heard: bool,  # noqa: FBT001 - a case of the table
) -> None:
    """Its document promises a signature and does not name the header; only a right one counts."""
    answer = bfl.Bfl().task_of_message(Message(headers, BODY), "hush", SENT)

    assert answer == ("task-123456" if heard else Unproved("its signature is missing or wrong"))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"task-1"', b"\xff", b'{"id": 7}', b'{"id": "a b"}', b"[" * 10**5],
)
def test_garbage_names_no_task(body: bytes) -> None:
    """Even with a right signature a body that is not what providers send leads nowhere."""
    digest = hmac.new(b"hush", body, hashlib.sha256).hexdigest()

    assert callbacks.of_body(Message({"x": digest}, body), "hush") == Unproved("it names no task")


def test_both_names_of_a_task_are_known() -> None:
    """BFL's two descriptions call it `id` and `task_id`."""
    body = b'{"task_id": "task-9", "status": "SUCCESS"}'
    digest = hmac.new(b"hush", body, hashlib.sha256).hexdigest()

    assert callbacks.of_body(Message({"x": digest}, body), "hush") == "task-9"


@pytest.mark.parametrize(
    ("provider", "model", "added"),
    [
        (
            bfl.PROVIDER,
            "flux-2-pro",
            {"webhook_url": CALLBACK.url, "webhook_secret": CALLBACK.secret},
        ),
        (bfl.PROVIDER, "flux-3-image", {}),
        (
            replicate.PROVIDER,
            "flux-2-pro",
            {"webhook": CALLBACK.url, "webhook_events_filter": ["completed"]},
        ),
    ],
)
def test_an_order_names_where_to_call_back(
    provider: Remote, model: str, added: dict[str, object]
) -> None:
    """It is added to what is sent, and to nothing else; FLUX.3 would refuse the fields."""
    params = {"resolution": "1k"} if "3" in model else {"width": 64, "height": 64}
    order = Order(model, "a fox", params, ())
    call = provider.submission(order, (), provider.endpoint)
    assert isinstance(provider, CallsBack)
    assert isinstance(call.json, Mapping)

    sent = provider.calling_back(order, call, CALLBACK)

    assert sent.json == {**call.json, **added}
    assert (sent.method, sent.url) == (call.method, call.url)


def test_gateways_are_not_asked_to_call_back() -> None:
    """They repeat the APIs, and nobody says how they would sign."""
    assert not isinstance(cometapi.PROVIDER, CallsBack)
