"""CometAPI in Replicate's format: its own host and key, and no files."""

from __future__ import annotations

import pytest

from flux2build.model import Order
from flux2build.providers import PROVIDERS
from flux2build.providers.cometapi_replicate import PROVIDER
from flux2build.providers.contract import Reference, Remote
from flux2build.providers.predictions import INLINE

LARGE = Reference("wall.png", b"x" * (INLINE + 1), "image/png")
BASE = "https://api.cometapi.com/replicate"


@pytest.mark.parametrize("endpoint", [BASE, f"{BASE}/", f"{BASE}/v1"])
def test_it_speaks_below_its_own_path(endpoint: str) -> None:
    """Orders and questions go to the gateway, and large references travel inside of them."""
    call = PROVIDER.submission(Order("flux-2-pro", "a fox", {}, ()), [LARGE], endpoint)

    assert call.url == f"{BASE}/v1/models/black-forest-labs/flux-2-pro/predictions"
    assert PROVIDER.upload(LARGE, endpoint) is None
    assert PROVIDER.claim("abc", endpoint).poll == f"{BASE}/v1/predictions/abc"


def test_it_is_not_replicate() -> None:
    """It and Replicate stand in one spec: each has a key and an endpoint of its own."""
    other = PROVIDERS["replicate"]

    assert isinstance(other, Remote)
    assert PROVIDER.hosts.isdisjoint(other.hosts)
    assert {PROVIDER.key_variable, PROVIDER.url_variable}.isdisjoint(
        {other.key_variable, other.url_variable}
    )
