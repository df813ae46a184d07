"""Finds the order of a message, and verifies the message; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from msgspec import Struct

from flux2build.providers import PROVIDERS
from flux2build.providers.contract import CallsBack, Message, Remote, Unproved
from flux2build.purchasing.webhooks import Called, Webhooks


class Answer(Struct, frozen=True):
    """The answer to a message: a status and a sentence."""

    status: HTTPStatus
    text: str


class Heard(Struct, frozen=True):
    """A message with a proved sender: it hints that a task of an order has ended."""

    called: Called
    task: str


class Hearing(Struct, frozen=True):
    """Judges messages."""

    webhooks: Webhooks
    secrets: Mapping[str, str]
    """The secret that signs each account's messages, by the provider's name."""

    def known(self, path: str) -> bool:
        """Whether a path belongs to an order's callback."""
        return self.webhooks.called(path) is not None

    def heard(self, path: str, message: Message, now: float) -> Heard | Answer:
        """The order of a message, or the answer to a message that proves nothing.

        `path` is the part of its URL after the public one, `now` the seconds since 1970.
        """
        called = self.webhooks.called(path)
        if called is None:
            return Answer(HTTPStatus.NOT_FOUND, "no order is called back here")
        provider = PROVIDERS.get(called.intended.provider)
        if not isinstance(provider, Remote) or not isinstance(provider, CallsBack):
            return Answer(HTTPStatus.NOT_FOUND, "its provider calls nobody back")
        secret = called.callback.secret
        if provider.signature_variable:
            secret = self.secrets.get(called.intended.provider, "")
        task = provider.task_of_message(message, secret, now)
        if isinstance(task, Unproved):
            return Answer(HTTPStatus.UNAUTHORIZED, task.message)
        return Heard(called, task)
