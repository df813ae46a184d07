"""One cause is one annotation, which lists the files that it concerns."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.conftest import Site

SPEC: Final = """
[project]
output = "img"
[defaults]
width = 64
height = 64
[asset.fox]
prompt = "a fox"
refs = ["refs/desk.png"]
deliver = [{ widths = [16, 32] }]
[asset.owl]
prompt = "an owl"
refs = ["refs/desk.png"]
[asset.pair]
prompt = "a fox and an owl"
refs = [{ asset = "fox" }, { asset = "owl" }]
[asset.bell]
prompt = "a bell"
"""
CONCERNED: Final = {
    "img/fox.png",
    "img/fox-16.png",
    "img/fox-32.png",
    "img/owl.png",
    "img/pair.png",
}


@pytest.fixture
def changed(empty: Site) -> Site:
    """A built site in which a reference changed, and the prompt of another picture."""
    empty.write("assets.toml", SPEC)
    empty.draw("refs/desk.png")
    assert empty.run("build").code == 0
    empty.draw("refs/desk.png", "red")
    empty.edit("assets.toml", "a bell", "a gong")
    return empty


def shown(site: Site, form: str) -> list[str]:
    """What a service shows of each finding."""
    out = site.run("check", "--output-format", form).out
    if form == "github":
        return out.splitlines()
    report: Any = json.loads(out)
    if form == "gitlab":
        return [row["description"] for row in report]
    return [result["message"]["text"] for result in report["runs"][0]["results"]]


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif"])
def test_a_cause_is_one_annotation(changed: Site, form: str) -> None:
    """The reference's users, what is derived of them and what waits for them are listed once."""
    reference, bell = sorted(
        shown(changed, form), key=lambda text: "a bell" in text or "bell:" in text
    )

    assert "fox: `refs/desk.png` changed" in reference
    assert all(path in reference for path in CONCERNED - {"img/fox.png"})
    assert "bell: prompt changed" in bell
    assert "Also concerns" not in bell


def test_programs_still_get_each_finding(changed: Site) -> None:
    """JSON and the lines for `grep` have one entry for each file."""
    rows = json.loads(changed.run("check", "--json").out)["findings"]

    assert {row["path"] for row in rows} == {*CONCERNED, "img/bell.png"}
    assert len(changed.run("check", "--output-format", "concise").out.splitlines()) == len(rows)


def test_a_related_place_is_named(changed: Site) -> None:
    """SARIF names the other lines of the spec that a cause concerns."""
    report: Any = json.loads(changed.run("check", "--output-format", "sarif").out)
    results = report["runs"][0]["results"]
    (reference,) = (r for r in results if "desk" in r["message"]["text"])
    lines = [
        place["physicalLocation"]["region"]["startLine"]
        for place in (*reference["locations"], *reference["relatedLocations"])
    ]

    assert len(lines) == len(set(lines)) == 4
