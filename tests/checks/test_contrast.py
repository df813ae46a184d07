"""Lettering that few can read is reported, once for each asset."""

from __future__ import annotations

from PIL import Image

from tests.checks.sites import build, check_json, paths
from tests.conftest import Site

SPEC = """\
[checks.contrast]

[asset.fox]
source = "pic.png"
deliver = [
    { path = "a.png", ops = [{ op = "text", text = "Open", color = "#eee" }] },
    { path = "b.png", ops = [{ op = "text", text = "Open", color = "#888" }] },
]
"""


def build_on(site: Site, ground: str, spec: str = SPEC) -> None:
    """Set the words on a picture of one colour."""
    Image.new("RGBA", (320, 200), ground).save(site.folder / "pic.png")
    build(site, spec=spec)


def test_the_faintest_letters_of_an_asset_are_reported(empty: Site) -> None:
    """The finding names the file that is harder to read, with its ratio."""
    build_on(empty, "white")
    (finding,) = [f for f in check_json(empty) if f["code"] == "faint-text"]
    assert finding["path"] == "a.png"
    assert finding["severity"] == "warning"
    assert "a contrast of 1.2:1, 4.5:1 is wanted" in finding["message"]


def test_letters_that_stand_out_pass(empty: Site) -> None:
    """Light letters in front of black, dark enough ones too."""
    build_on(empty, "black")
    assert paths(check_json(empty), "faint-text") == []


def test_large_letters_need_less(empty: Site) -> None:
    """WCAG asks for 3:1 where letters have 18 points and more."""
    large = SPEC.replace('"Open", color = "#eee"', '"Open", color = "#888", size = 40')
    build_on(empty, "white", large.replace('color = "#888" }', 'color = "#000" }'))
    assert paths(check_json(empty), "faint-text") == []

    empty.edit("assets.toml", "[checks.contrast]", "[checks.contrast]\nlarge = 4.5")
    assert paths(check_json(empty), "faint-text") == ["a.png"]


def test_some_people_see_less(empty: Site) -> None:
    """Red in front of black is darker to those who do not see red; who counts is an option."""
    spec = SPEC.replace("#eee", "#f33").replace("#888", "#f33")
    build_on(empty, "black", spec)
    (finding,) = [f for f in check_json(empty) if f["code"] == "faint-text"]
    assert "to those who do not see red" in finding["message"]

    empty.edit("assets.toml", "[checks.contrast]", '[checks.contrast]\nvision = ["usual"]')
    assert paths(check_json(empty), "faint-text") == []


def test_a_plate_counts_and_later_files_do_not(empty: Site) -> None:
    """What lies under the letters is what they are compared with."""
    plate = SPEC.replace('"#eee"', '"#eee", backdrop = { color = "black" }')
    build_on(empty, "white", plate.replace("#888", "#000"))
    assert paths(check_json(empty), "faint-text") == []


def test_what_is_transparent_needs_a_page(empty: Site) -> None:
    """Where nothing is known of the page behind a picture, nothing is said."""
    build_on(empty, "#00000000")
    assert paths(check_json(empty), "faint-text") == []
    empty.edit("assets.toml", "[checks.contrast]", '[checks.contrast]\npage = "white"')
    assert paths(check_json(empty), "faint-text") == ["a.png"]


def test_what_is_not_current_is_for_drift_to_tell(empty: Site) -> None:
    """A file that is about to be replaced is not looked at."""
    build_on(empty, "white")
    (empty.folder / "a.png").unlink()
    findings = check_json(empty)
    assert paths(findings, "output-missing") == ["a.png"]
    assert paths(findings, "faint-text") == ["b.png"]


def test_nobody_to_look_is_refused(empty: Site) -> None:
    """An empty `vision` would find nothing, in silence."""
    build_on(empty, "white")
    empty.edit("assets.toml", "[checks.contrast]", "[checks.contrast]\nvision = []")
    outcome = empty.run("check")
    assert outcome.code == 2
    assert "must not be empty" in outcome.err
