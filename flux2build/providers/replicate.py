"""Replicate: models of many makers, asked for by predictions."""

from __future__ import annotations

from typing import Final

from flux2build.providers.cards import shipped
from flux2build.providers.contract import Remote
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


PROVIDER: Final[Remote] = Replicate()
