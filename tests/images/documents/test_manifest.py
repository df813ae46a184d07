"""The JSON manifest."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flux2build.images.documents.manifest import DOCUMENT
from flux2build.images.documents.srcset import SiteOptions
from tests.images.documents.facts import Site, hero


def written(site: Site, **options: Any) -> Any:
    """What the manifest says."""
    return json.loads(DOCUMENT.write(site.facts, SiteOptions(**options), site.read))


def test_a_picture_with_its_files() -> None:
    """Each asset has its files as they are, and its pictures as a page wants them."""
    site = hero({"theme": "dark"})

    (asset,) = written(site, base="/i/")["assets"].values()

    assert asset["axes"] == {"theme": "dark"}
    assert asset["alt"] == "A fox"
    (picture,) = asset["pictures"]
    assert picture["src"] == "/i/hero-16.jpeg"
    assert (picture["width"], picture["height"]) == (16, 8)
    assert picture["sources"] == [
        {"type": f"image/{form}", "srcset": f"/i/hero-8.{form} 8w, /i/hero-16.{form} 16w"}
        for form in ("avif", "webp", "jpeg")
    ]
    assert [file["path"] for file in asset["files"]] == sorted(site.files)
    for fact in site.facts:
        (file,) = (f for f in asset["files"] if f["path"] == fact.about.path)
        assert file["bytes"] == len(site.files[fact.about.path])
        assert fact.output.sha256 == f"sha256:{file['sha256']}"


def test_the_page_of_formats_shows_it() -> None:
    """What the page shows of a manifest has its keys, no more and none less."""
    page = Path(__file__).parents[3].joinpath("docs/formats.md").read_text("utf-8")
    example = page.split("## The manifest of a site")[1].split("```json\n")[1].split("```")[0]

    shown = json.loads(example)
    value = written(hero())

    assert shown.keys() == value.keys()
    ((one,), (other,)) = (document["assets"].values() for document in (shown, value))
    assert one.keys() == other.keys()
    assert one["files"][0].keys() == other["files"][0].keys()
    assert one["pictures"][0].keys() == other["pictures"][0].keys()
    assert one["pictures"][0]["sources"][0].keys() == other["pictures"][0]["sources"][0].keys()


@given(st.randoms(use_true_random=False))
def test_the_order_of_files_does_not_matter(chance: random.Random) -> None:
    """The same files give the same bytes, in whatever order the spec declares them."""
    site = hero()
    site.add("a.png", asset="ant")
    first = written(site)
    chance.shuffle(site.facts)

    assert written(site) == first


def test_the_colour_is_that_of_the_pixels() -> None:
    """The average of all pixels, those one can see through on white; of the smallest file."""
    site = Site()
    site.add("big.png", (64, 64), "#000000", asset="a")
    site.add("small.png", (4, 4), "#00000080", asset="a")

    (asset,) = written(site)["assets"].values()

    assert asset["pictures"][0]["color"] == "#7f7f7f"
    assert site.reads == ["small.png"]


def test_without_colours_nothing_is_read() -> None:
    """Whoever wants no colours does not pay for reading pictures."""
    site = hero()

    (asset,) = written(site, color=False)["assets"].values()

    assert "color" not in asset["pictures"][0]
    assert site.reads == []


def test_what_no_page_shows_is_a_file_only() -> None:
    """Icons and other files with a role are listed, and are no picture of a page."""
    site = Site()
    site.add("icon.png", role="maskable")

    (asset,) = written(site)["assets"].values()

    assert asset["pictures"] == []
    assert asset["files"][0]["role"] == "maskable"


def test_addresses_are_escaped() -> None:
    """Spaces and commas would end an address of a `srcset`."""
    site = Site()
    site.add("my fox, red?.png")

    (asset,) = written(site)["assets"].values()

    assert asset["files"][0]["path"] == "my fox, red?.png"
    assert asset["pictures"][0]["src"] == "my%20fox%2C%20red%3F.png"
