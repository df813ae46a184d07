"""CometAPI: a gateway that speaks the protocol of Black Forest Labs, with habits of its own.

Unknown routes answer an HTML page, errors may come with status 200, a task may be ready at once,
and a URL in an answer may belong to somebody else: so inquiries are always built from the endpoint
and the task's id.
"""

from __future__ import annotations

from typing import Final

from flux2build.providers import contract
from flux2build.providers.cards import shipped
from flux2build.providers.contract import Remote
from flux2build.providers.protocol import FluxApi


class CometApi(FluxApi):
    """The provider `cometapi`."""

    name = "cometapi"
    cards = shipped()["cometapi"]
    default_model = "flux-2-pro"
    endpoint = "https://api.cometapi.com"
    hosts = frozenset({"api.cometapi.com"})
    key_variable = "COMETAPI_KEY"
    url_variable = "FLUX2BUILD_COMETAPI_URL"
    in_flight = 12

    path = "/flux"
    cost_unit = None
    """Replies may name what Black Forest Labs charges the gateway, not what it charges."""
    follows_polling_url = False

    credentials = contract.bearer_token


PROVIDER: Final[Remote] = CometApi()
