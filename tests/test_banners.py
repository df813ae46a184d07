"""The campaign of the example: two hundred files, three renderings, and words that cost nothing."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from tests.conftest import Site

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "banners"
SPEC: Final = "banners/assets.toml"
LOCALES: Final = ["ar", "de", "el", "en", "he", "hi", "ja", "th", "uk", "vi"]
SIZES: Final = {
    (120, 600), (160, 600), (200, 200), (240, 400), (250, 250), (250, 360), (300, 50), (300, 250),
    (300, 600), (300, 1050), (320, 50), (320, 100), (336, 280), (468, 60), (580, 400), (728, 90),
    (930, 180), (970, 90), (970, 250), (980, 120),
}  # fmt: skip
"""The sizes of display advertisements that Google takes."""
LARGEST: Final = 150_000


@pytest.fixture
def campaign(empty: Site) -> Site:
    """The example, copied away from its outputs."""
    made = shutil.ignore_patterns("public", "assets.lock", ".flux2build")
    shutil.copytree(EXAMPLE, empty.folder / "banners", ignore=made)
    return empty


def planned(site: Site, *words: str) -> dict[str, Any]:
    """What `plan --json` answers."""
    ran = site.run("plan", "-f", SPEC, "--json", *words)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def todo(site: Site, *words: str) -> dict[str, int]:
    """How many files there are to make, by what has to be done."""
    actions = Counter(step["action"] for step in planned(site, *words)["steps"])
    return {action: count for action, count in actions.items() if action != "keep"}


def test_the_price_is_that_of_three_pictures(campaign: Site) -> None:
    """The final pictures cost three renderings, whatever is made of them; sketches cost nothing."""
    assert todo(campaign) == todo(campaign, "-p", "final") == {"render": 3, "derive": 200}
    assert Decimal(planned(campaign)["summary"]["price_max"]) == 0
    final = planned(campaign, "-p", "final")
    each = [Decimal(s["price_max"]) for s in final["steps"] if s["action"] == "render"]
    assert len(each) == 3
    assert sum(each) == Decimal(final["summary"]["price_max"]) > 0


def test_the_campaign(campaign: Site) -> None:
    """Built once, it changes by exactly what was edited: words make files, a prompt one picture."""
    ran = campaign.run("build", "-f", SPEC)
    assert ran.code == 0, ran.err
    assert todo(campaign) == {}
    folder = campaign.folder / "banners" / "public"
    files = {locale: sorted(folder.glob(f"{locale}/*.jpeg")) for locale in LOCALES}
    assert [len(found) for found in files.values()] == [20] * 10
    for path in (path for found in files.values() for path in found):
        width, height = map(int, path.stem.split("x"))
        with Image.open(path) as image:
            assert image.size == (width, height)
        assert (width, height) in SIZES
        assert path.stat().st_size <= LARGEST
    first = {path.name: path.read_bytes() for path in files["de"]}

    campaign.edit("banners/locale/de.po", "Zum Shop", "In den Laden")
    assert todo(campaign) == {"derive": 20}
    assert campaign.run("build", "-f", SPEC).code == 0
    changed = {path.name for path in files["de"] if path.read_bytes() != first[path.name]}
    assert changed == first.keys()

    campaign.edit(SPEC, "a winding wet road", "a straight wet road")
    found = planned(campaign)
    rendered = [step["asset"] for step in found["steps"] if step["action"] == "render"]
    assert rendered == ["tall"]
    assert {step["asset"] for step in found["steps"] if step["action"] != "keep"} == {"tall"}

    campaign.edit("banners/locale/th.po", 'msgstr "เลือกกระเป๋า"', 'msgstr ""')
    ran = campaign.run("plan", "-f", SPEC)
    assert ran.code == 2
    assert "not translated into `th`: `cta`" in ran.err
    assert "locale/th.po:" in ran.err


def test_a_kanji_that_the_font_lacks_is_named(campaign: Site) -> None:
    """A new word in Japanese is an error with the code point, not an empty box."""
    campaign.edit("banners/locale/ja.po", "雨の道", "夏の道")
    ran = campaign.run("build", "-f", SPEC, "block")
    assert ran.code == 2
    assert "U+590F CJK UNIFIED IDEOGRAPH-590F" in ran.err
    assert "Noto Sans JP" in ran.err
