"""`flux2build presets`."""

from __future__ import annotations

import json

from flux2build.assetspec.presets import presets
from tests.conftest import Site


def test_all_of_them(empty: Site) -> None:
    """Every preset is listed, on stdout, without a spec."""
    ran = empty.run("presets")

    assert ran.code == 0
    assert all(name in ran.out for name in presets())


def test_words_filter(empty: Site) -> None:
    """Words keep what has them all: in its name, its platform, its files or its sizes."""
    document = json.loads(empty.run("presets", "google", "728x90", "--json").out)

    assert [row["preset"] for row in document["presets"]] == [
        "google-leaderboard",
        "google-display",
    ]
    (file,) = document["presets"][0]["files"]
    assert (file["width"], file["height"], file["max_bytes"]) == (728, 90, 150_000)
    assert "support.google.com" in file["source"]


def test_a_word_that_nothing_has(empty: Site) -> None:
    """A typing error is answered with the nearest name."""
    ran = empty.run("presets", "favicom")

    assert ran.code == 2
    assert "did you mean `favicon`?" in ran.err
