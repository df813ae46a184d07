"""The web app manifest."""

from __future__ import annotations

import json

import pytest

from flux2build.images.documents.webmanifest import DOCUMENT, WebManifestOptions
from tests.images.documents.facts import Site


def test_icons_with_their_purpose() -> None:
    """Icons that are large enough are listed, smallest first; a maskable one says so."""
    site = Site()
    site.add("icons/icon-maskable-512.png", (512, 512), role="icon-maskable-512")
    site.add("icons/icon-192.png", (192, 192), role="icon-192")
    site.add("icons/favicon-16.png", (16, 16), role="favicon-16")
    site.add("master.png", (512, 512), role="ingredient")
    options = WebManifestOptions(name="Acme", theme_color="#1F4E46")

    value = json.loads(DOCUMENT.write(site.facts, options, site.read))

    assert value["name"] == "Acme"
    assert value["theme_color"] == "#1F4E46"
    assert value["icons"] == [
        {"src": "icon-192.png", "sizes": "192x192", "type": "image/png"},
        {
            "src": "icon-maskable-512.png",
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]


@pytest.mark.parametrize("word", ["short_name", "background_color", "name"])
def test_nothing_is_said_that_was_not_asked(word: str) -> None:
    """Words that the spec does not have are not in the file."""
    site = Site()

    value = json.loads(DOCUMENT.write(site.facts, WebManifestOptions(), site.read))

    assert word not in value
