"""An empty picture is noticed, whatever its colour, and a sparse one is not taken for one."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.checks.sites import build, check_json, paths
from tests.conftest import Site

SPEC = """\
[asset.fox]
source = "pic.png"
deliver = [{ path = "a.png" }, { path = "b.webp" }]
"""


@pytest.mark.parametrize(
    ("background", "words"),
    [("black", "100% of the picture is #000000"), ((9, 9, 9, 0), "transparent")],
)
def test_an_empty_picture_is_a_warning(
    empty: Site, background: str | tuple[int, ...], words: str
) -> None:
    """One colour all over, or nothing at all, in every file of it."""
    Image.new("RGBA", (200, 100), background).save(empty.folder / "pic.png")
    build(empty, spec=SPEC)
    findings = check_json(empty)

    assert paths(findings, "blank") == ["a.png", "b.webp"]
    assert words in findings[0]["message"]
    assert findings[0]["hint"] == "look at it; bring another picture"
    assert empty.run("check", "--strict").code == 1


def test_near_empty_counts_and_sparse_does_not(empty: Site) -> None:
    """A speck on a background is nothing to see; a twentieth of the picture is something."""
    image = Image.new("RGB", (400, 400), "#fbf3e4")
    image.paste("red", (0, 0, 20, 20))
    image.save(empty.folder / "pic.png")
    build(empty, spec=SPEC)
    assert paths(check_json(empty), "blank") == ["a.png", "b.webp"]

    image.paste("red", (0, 0, 90, 90))
    image.save(empty.folder / "pic.png")
    assert empty.run("build").code == 0
    assert paths(check_json(empty), "blank") == []


def test_what_nobody_looked_at_is_looked_at(empty: Site) -> None:
    """If the lock has no colours, the pixels are checked."""
    Image.new("RGB", (200, 100), "black").save(empty.folder / "pic.png")
    build(empty, spec=SPEC)
    lock = empty.folder.joinpath("assets.lock").read_text()
    rows = [row for row in lock.splitlines() if not row.startswith("output.colours")]
    empty.write("assets.lock", "\n".join(rows) + "\n")

    assert paths(check_json(empty), "blank") == ["a.png", "b.webp"]
