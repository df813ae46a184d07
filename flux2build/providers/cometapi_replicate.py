"""CometAPI, in the format of Replicate's predictions."""

from __future__ import annotations

from typing import Final

from flux2build.providers.cards import shipped
from flux2build.providers.contract import Remote
from flux2build.providers.predictions import PredictionsApi


class CometApiReplicate(PredictionsApi):
    """The provider `cometapi-replicate`."""

    name = "cometapi-replicate"
    cards = shipped()["cometapi-replicate"]
    default_model = "flux-2-pro"
    endpoint = "https://api.cometapi.com/replicate"
    hosts = frozenset({"api.cometapi.com"})
    key_variable = "COMETAPI_KEY"
    url_variable = "FLUX2BUILD_COMETAPI_REPLICATE_URL"
    in_flight = 12


PROVIDER: Final[Remote] = CometApiReplicate()
