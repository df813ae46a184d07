"""Reads what providers post to the URL of a callback: who signed it, and which task it names."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from flux2build.providers import replies
from flux2build.providers.contract import Message, Reply, Unproved, is_task

TOLERANCE: Final = 300
"""Seconds by which a message's time may differ from this clock, as Standard Webhooks suggest."""

_PREFIX: Final = "whsec_"
_TASK_KEYS: Final = ("id", "task_id")
_DIGITS: Final = 12
"""Digits of the latest moment that a message may name."""


def standard_key(secret: str) -> bytes | None:
    """The key in a secret of Standard Webhooks, `whsec_` and base64; None if it is not one."""
    text = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if secret.startswith(_PREFIX) and key else None


def standard(message: Message, secret: str, now: float) -> str | Unproved:
    """The task of a message that is signed as Standard Webhooks define."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    name, at, signatures = (message.headers.get(each, "") for each in names)
    key = standard_key(secret)
    if key is None or not (name and signatures and at.isascii() and at.isdigit()):
        return Unproved("it is not signed")
    signed = _raw(f"{name}.{at}.") + message.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    listed = (each.partition(",") for each in signatures.split(" "))
    # While a secret is replaced there are two.
    if not any(_same(value, expected) for version, _, value in listed if version == "v1"):
        return Unproved("its signature is wrong")
    if len(at) > _DIGITS or abs(now - int(at)) > TOLERANCE:
        return Unproved("it was not sent just now")
    return _task(message)


def of_body(message: Message, secret: str) -> str | Unproved:
    """The task of a message of which some header holds the HMAC-SHA256 of the body.

    Not every provider documents which header it is, and whether it is in hex or base64.
    """
    digest = hmac.new(secret.encode(), message.body, hashlib.sha256)
    forms = (digest.hexdigest().encode(), base64.b64encode(digest.digest()))
    values = [each.removeprefix("sha256=") for each in message.headers.values()]
    if not any(_same(value, form) for value in values for form in forms):
        return Unproved("its signature is missing or wrong")
    return _task(message)


def _same(text: str, expected: bytes) -> bool:
    return hmac.compare_digest(_raw(text), expected)


def _raw(text: str) -> bytes:
    """The bytes of a header."""
    return text.encode("latin-1", "replace")


def _task(message: Message) -> str | Unproved:
    """The task that a message names, in any of the fields that providers use."""
    body = replies.fields(Reply(200, {}, message.body)) or {}
    tasks = (body.get(key) for key in _TASK_KEYS)
    return next(filter(is_task, tasks), Unproved("it names no task"))
