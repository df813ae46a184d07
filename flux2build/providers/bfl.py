"""Black Forest Labs: FLUX.2 and FLUX.3 from their makers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flux2build.providers.cards import shipped
from flux2build.providers.contract import Remote
from flux2build.providers.protocol import CREDIT, FluxApi


class Bfl(FluxApi):
    """The provider `bfl`."""

    name = "bfl"
    cards = shipped()["bfl"]
    default_model = "flux-2-pro"
    endpoint = "https://api.bfl.ai"
    hosts = frozenset({"api.bfl.ai", "api.*.bfl.ai"})
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


PROVIDER: Final[Remote] = Bfl()
