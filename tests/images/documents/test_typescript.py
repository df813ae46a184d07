"""The TypeScript module."""

from __future__ import annotations

import json

from flux2build.images.documents.manifest import DOCUMENT as MANIFEST
from flux2build.images.documents.srcset import SiteOptions
from flux2build.images.documents.typescript import DOCUMENT
from tests.images.documents.facts import Site, hero


def constants(text: str) -> object:
    """The value of `assets`, which is JSON."""
    return json.loads(text.split("export const assets = ")[1].split(" as const", maxsplit=1)[0])


def test_it_tells_what_the_manifest_tells() -> None:
    """Both documents hold the same facts."""
    site, options = hero(), SiteOptions(base="/")

    text = DOCUMENT.write(site.facts, options, site.read)

    value = json.loads(MANIFEST.write(site.facts, options, site.read))
    assert constants(text) == value["assets"]


def test_no_word_ends_a_line_of_the_program() -> None:
    """The two line ends that only JavaScript knows are escaped."""
    site = Site()
    site.add("a.png", alt="one\u2028two\u2029three")

    text = DOCUMENT.write(site.facts, SiteOptions(), site.read)

    assert not {"\u2028", "\u2029"} & set(text)
    assert "one\\u2028two\\u2029three" in text
