"""Pictures keep to a palette, as an eye would judge it."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.checks.sites import build, check_json, paths
from tests.conftest import Site

SPEC = """\
[vars]
brand = { blue = "#0A84FF" }

[checks.palette]
colours = ["{{ brand.blue }}", "white"]

[asset.fox]
source = "pic.png"
provenance = true
deliver = [{ path = "a.png" }, { path = "b.webp" }]
"""
BLUE, NEAR, RED = (10, 132, 255), (30, 140, 240), (200, 30, 30)


def picture(site: Site, *stripes: tuple[int, ...]) -> None:
    """A picture of equal stripes."""
    image = Image.new("RGBA", (40 * len(stripes), 40))
    for at, colour in enumerate(stripes):
        image.paste(colour, (40 * at, 0, 40 * at + 40, 40))
    image.save(site.folder / "pic.png")


@pytest.mark.parametrize(
    ("stripes", "near"),
    [
        ([BLUE, BLUE], None),
        ([NEAR, RED], None),
        ([BLUE, (255, 255, 255), RED], None),
        ([NEAR, RED, RED], "33%"),
        ([RED, (0, 0, 0)], "0%"),
        ([RED, BLUE, (0, 0, 0, 0), (0, 0, 0, 0)], None),
        ([(0, 0, 0, 0), (0, 0, 0, 0)], None),
    ],
)
def test_half_of_what_is_seen_must_be_near(
    empty: Site, stripes: list[tuple[int, ...]], near: str | None
) -> None:
    """Close shades count, transparency does not, and one finding is enough for an asset."""
    picture(empty, *stripes)
    build(empty, spec=SPEC)
    findings = [f for f in check_json(empty) if f["code"] == "off-palette"]

    assert [f["message"].partition(" ")[0] for f in findings] == ([near] if near else [])
    assert all("#c8" in f["hint"] or "#c" in f["hint"] for f in findings)


def test_tolerance_and_share_are_options(empty: Site) -> None:
    """How near and how much is for the spec to say."""
    picture(empty, NEAR, RED)
    build(empty, spec=SPEC)
    assert paths(check_json(empty), "off-palette") == []

    empty.edit("assets.toml", "[checks.palette]", "[checks.palette]\nshare = 0.6")
    assert len(paths(check_json(empty), "off-palette")) == 1
    empty.edit("assets.toml", "share = 0.6", "tolerance = 1")
    assert len(paths(check_json(empty), "off-palette")) == 1


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ('[checks]\npalette = "error"', "give `colours`"),
        ('[checks.palette]\ncolours = ["bleu"]', "did you mean `blue`?"),
        ('[checks.palette]\ncolors = ["blue"]', "did you mean `colours`?"),
    ],
)
def test_options_are_checked(empty: Site, policy: str, message: str) -> None:
    """No palette, no colour, or a key in another spelling: each is reported at its place."""
    empty.write("assets.toml", f'{policy}\n[asset.a]\nprompt = "a"\n')
    ran = empty.run("check")

    assert ran.code == 2
    assert message in ran.err
    assert "assets.toml:2:" in ran.err
