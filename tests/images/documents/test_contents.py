"""Apple's `Contents.json`."""

from __future__ import annotations

import json

from flux2build.images.documents.contents import DOCUMENT
from flux2build.images.documents.contract import DocumentOptions
from tests.images.documents.facts import Site


def test_one_picture_for_ios() -> None:
    """A single icon is the universal one."""
    site = Site()
    site.add("AppIcon.appiconset/AppIcon.png", (64, 64))
    site.add("master.png", role="ingredient")

    value = json.loads(DOCUMENT.write(site.facts, DocumentOptions(), site.read))

    assert value["images"] == [
        {"filename": "AppIcon.png", "idiom": "universal", "platform": "ios", "size": "64x64"}
    ]
    assert value["info"] == {"author": "xcode", "version": 1}


def test_the_ladder_of_macos() -> None:
    """Size and scale are those that the file's name says."""
    site = Site()
    site.add("icon_16x16@2x.png", (32, 32))
    site.add("icon_16x16.png", (16, 16))

    value = json.loads(DOCUMENT.write(site.facts, DocumentOptions(), site.read))

    assert [(i["filename"], i["size"], i["scale"]) for i in value["images"]] == [
        ("icon_16x16.png", "16x16", "1x"),
        ("icon_16x16@2x.png", "16x16", "2x"),
    ]
