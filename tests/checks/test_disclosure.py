"""A profile may ask for a label on everything that was generated."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.checks.sites import check_json, paths
from tests.conftest import Site

SPEC = """\
[project]
output = "img"
profile = "home"

[profile.home]

[profile.eu]
output = "eu"
disclosure = "label"

[defaults]
width = 128
height = 96

[asset.fox]
prompt = "a friendly fox"

[[asset.fox.deliver]]
path = "fox-small.webp"
ops = [{ op = "label" }]

[asset.bell]
prompt = "a bell"
"""


@pytest.fixture
def site(empty: Site) -> Site:
    """Both profiles, built."""
    empty.write("assets.toml", SPEC)
    assert empty.run("build").code == 0
    assert empty.run("build", "--profile", "eu").code == 0
    return empty


def test_the_profile_that_asks_for_labels_gets_findings(site: Site) -> None:
    """What is published without one is an error there, and fine elsewhere."""
    assert paths(check_json(site, "--profile", "home"), "unlabelled") == []
    assert paths(check_json(site, "--profile", "eu"), "unlabelled") == ["eu/bell.png"]

    site.edit("assets.toml", 'ops = [{ op = "label" }]', "")
    assert site.run("build", "--profile", "eu").code == 0
    findings = check_json(site, "--profile", "eu")
    assert sorted(map(str, paths(findings, "unlabelled"))) == ["eu/bell.png", "eu/fox-small.webp"]
    hints = {f["path"]: f["hint"] for f in findings if f["code"] == "unlabelled"}
    assert "`finish`" in hints["eu/fox-small.webp"]
    assert "not the master" in hints["eu/bell.png"]


COVER = '{ op = "overlay", source = "drawn.png", anchor = "bottom-right" }'


@pytest.mark.parametrize(
    ("after", "seen"),
    [
        (COVER, False),
        ('{ op = "resize", width = 64 }', True),
        (COVER.replace("right", "left"), True),
    ],
)
def test_a_label_that_is_covered_is_none(site: Site, after: str, *, seen: bool) -> None:
    """What counts is what people see in the end."""
    Image.new("RGB", (128, 40), "white").save(site.folder / "drawn.png")
    if "left" in after:
        Image.new("RGB", (30, 10), "white").save(site.folder / "drawn.png")
    site.edit("assets.toml", '{ op = "label" }', f'{{ op = "label" }}, {after}')
    assert site.run("build", "--profile", "eu").code == 0

    findings = check_json(site, "--profile", "eu")

    assert ("eu/fox-small.webp" in paths(findings, "unlabelled")) != seen
    said = [each["message"] for each in findings if each["code"] == "unlabelled"]
    assert any("covered" in message for message in said) != seen


def test_a_spec_may_ask_for_labels_in_every_profile(site: Site) -> None:
    """`[checks]` names the check, and says how grave it is."""
    site.edit("assets.toml", "[defaults]", '[checks]\ndisclosure = "warning"\n\n[defaults]')
    findings = check_json(site, "--profile", "home")
    assert paths(findings, "unlabelled") == ["img/bell.png"]
    assert {f["severity"] for f in findings if f["code"] == "unlabelled"} == {"warning"}


def test_what_a_person_made_needs_no_label(site: Site) -> None:
    """A source was not generated."""
    (site.folder / "drawn.png").write_bytes((site.folder / "img/bell.png").read_bytes())
    spec = SPEC.replace(
        'prompt = "a bell"', 'source = "drawn.png"\ndeliver = [{ path = "b.webp" }]'
    )
    site.write("assets.toml", spec)
    assert site.run("build", "--profile", "eu").code == 0
    assert paths(check_json(site, "--profile", "eu"), "unlabelled") == []


def test_another_word_is_refused(empty: Site) -> None:
    """A profile cannot ask for a label that is not known."""
    empty.write("assets.toml", SPEC.replace('"label"\n', '"lable"\n'))
    ran = empty.run("plan", "--profile", "eu")
    assert ran.code == 2
    assert "assets.toml:9" in ran.err
