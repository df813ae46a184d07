"""Replicate: models of many makers, run as predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from flux2build.model import Order
from flux2build.providers import callbacks
from flux2build.providers.cards import shipped
from flux2build.providers.contract import Call, Callback, Message, Remote, Unproved
from flux2build.providers.predictions import PredictionsApi


class Replicate(PredictionsApi):
    """The provider `replicate`."""

    name = "replicate"
    cards = shipped()["replicate"]
    default_model = "flux-2-pro"
    endpoint = "https://api.replicate.com"
    hosts = frozenset({"api.replicate.com"})
    key_variable = "REPLICATE_API_TOKEN"
    url_variable = "FLUX2BUILD_REPLICATE_URL"
    in_flight = 24
    signature_variable = "REPLICATE_WEBHOOK_SECRET"

    def calling_back(self, order: Order, call: Call, callback: Callback) -> Call:
        """The submission with a URL beside its input; the account's secret signs the message."""
        del order
        if not isinstance(call.json, Mapping):
            return call
        fields = {"webhook": callback.url, "webhook_events_filter": ["completed"]}
        return replace(call, json={**call.json, **fields})

    def task_of_message(self, message: Message, secret: str, now: float) -> str | Unproved:
        """The task of a message, signed as Standard Webhooks define."""
        return callbacks.standard(message, secret, now)


PROVIDER: Final[Remote] = Replicate()
