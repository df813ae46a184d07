"""Models of all providers, by name: what nobody asks for is not imported, and own cards win."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest

from flux2build.providers.contract import PROVIDERS
from flux2build.providers.models import Models

SCRIPT = """
import sys
from flux2build.providers.models import Models
assert "bfl" in Models() and len(Models()) == len(list(Models()))
assert list(Models()["sketch"]) == ["sketch"]
print(*(name for name in sys.modules if name.startswith("flux2build.providers.")))
"""


def test_only_the_provider_that_is_asked_for_is_imported() -> None:
    """A spec that renders with one provider pays for no other one."""
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    members = {f"flux2build.providers.{name}" for name in PROVIDERS}

    assert members & set(ran.stdout.split()) == {"flux2build.providers.sketch"}


def test_own_cards_are_merged_over_shipped_ones() -> None:
    """The user's price replaces the shipped one; other providers keep theirs."""
    models = Models("[bfl.flux-2-pro.price]\nfirst = 0.04")
    price = models["bfl"]["flux-2-pro"].price

    assert price is not None
    assert price.first == Decimal("0.04")
    assert models["sketch"] == PROVIDERS["sketch"].cards


def test_a_card_does_not_make_a_provider() -> None:
    """Only providers of flux2build have models, whatever the user's cards name."""
    with pytest.raises(KeyError):
        Models('[nonsense.model]\nparams = ["width"]')["nonsense"]
