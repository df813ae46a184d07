"""Black Forest Labs: FLUX.2 and FLUX.3 from their makers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from flux2build.model import Order
from flux2build.providers import callbacks, replies
from flux2build.providers.cards import shipped
from flux2build.providers.contract import (
    Call,
    Callback,
    Message,
    Refusal,
    Refused,
    Remote,
    Reply,
    Unproved,
)
from flux2build.providers.protocol import CREDIT, FluxApi, is_flux_3

_MOST: Final = 10**12
"""No account has more credits than this."""


class Bfl(FluxApi):
    """The provider `bfl`."""

    name = "bfl"
    cards = shipped()["bfl"]
    default_model = "flux-2-pro"
    endpoint = "https://api.bfl.ai"
    regions = MappingProxyType({"eu": "https://api.eu.bfl.ai", "us": "https://api.us.bfl.ai"})
    hosts = frozenset({"bfl.ai", "*.bfl.ai"})
    key_variable = "BFL_API_KEY"
    url_variable = "FLUX2BUILD_BFL_URL"
    in_flight = 24

    path = ""
    cost_unit = CREDIT
    follows_polling_url = True
    """A submission names the cluster that works on it; another one does not know its task."""

    def credentials(self, key: str) -> Mapping[str, str]:
        """The key travels in `x-key`."""
        return {"x-key": key}

    signature_variable = ""

    def calling_back(self, order: Order, call: Call, callback: Callback) -> Call:
        """FLUX.2 takes a URL and a secret with each order; FLUX.3 refuses the fields."""
        if is_flux_3(order) or not isinstance(call.json, Mapping):
            return call
        fields = {"webhook_url": callback.url, "webhook_secret": callback.secret}
        return replace(call, json={**call.json, **fields})

    def task_of_message(self, message: Message, secret: str, now: float) -> str | Unproved:
        """The documentation names neither the header nor the form of the signature."""
        del now
        return callbacks.of_body(message, secret)

    def account(self, endpoint: str) -> Call:
        """The credits that are left."""
        return Call("GET", f"{replies.root(endpoint)}/v1/credits")

    def balance(self, reply: Reply) -> Decimal | Refused:
        """The credits that are left, in USD."""
        body = replies.fields(reply) or {}
        amount = replies.amount(body.get("credits"), CREDIT, _MOST) if reply.status == 200 else None
        if amount is not None:
            return amount
        return replies.refused(reply) or Refused(Refusal.FAILED, replies.message(reply))


PROVIDER: Final[Remote] = Bfl()
