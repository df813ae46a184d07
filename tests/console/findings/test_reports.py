"""Reports for services are well formed, name files from the repository's root, and lose nothing."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.checks.contract import Finding, Severity
from flux2build.console.console import Console
from flux2build.console.findings import reports
from flux2build.errors import Exit, Place
from flux2build.model import AssetName
from tests.checks.sites import SPEC
from tests.conftest import Ran, Site

FORMATS: Final = ["gitlab", "junit", "sarif"]
FINDINGS: Final = st.lists(
    st.builds(
        Finding,
        code=st.sampled_from(["orphan", "blank"]),
        severity=st.sampled_from(Severity),
        message=st.text(max_size=30),
        asset=st.none() | st.text(max_size=9).map(AssetName),
        path=st.none() | st.text(max_size=9),
        place=st.none() | st.builds(Place, st.text(max_size=9), st.integers(0, 9)),
        hint=st.none() | st.text(max_size=30),
    ),
    max_size=4,
)


@pytest.fixture
def nested(empty: Site) -> Site:
    """A site whose spec lies in a folder of the repository, with an error, a warning and an orphan."""
    policy = '[checks]\nalt = "error"\nmax-bytes = { bytes = 9 }\n\n[asset.fox]'
    empty.write("web/assets.toml", SPEC.replace("[asset.fox]", policy, 1))
    assert empty.run("build", "-f", "web/assets.toml").code == Exit.DONE
    empty.edit(
        "web/assets.toml",
        "[[asset.fox.deliver]]\npath",
        "[[asset.fox.deliver]]\nquality = 70\npath",
    )
    empty.edit("web/assets.toml", 'formats = ["webp", "jpeg"]', 'formats = ["webp"]')
    return empty


def check(site: Site, form: str, *words: str) -> Ran:
    """Run `check` in a format."""
    return site.run("check", "-f", "web/assets.toml", "--output-format", form, *words)


def expected(site: Site) -> list[dict[str, Any]]:
    """The findings, as the documented JSON has them."""
    rows: list[dict[str, Any]] = json.loads(check(site, "json").out)["findings"]
    assert {row["code"] for row in rows} == {
        "alt-missing", "too-large", "encoding-changed", "orphan",
    }  # fmt: skip
    return rows


def test_gitlab(nested: Site) -> None:
    """Each finding has a fingerprint of its own, a path that exists and a line."""
    rows = json.loads(check(nested, "gitlab").out)
    wanted = expected(nested)

    assert [row["check_name"] for row in rows] == [row["code"] for row in wanted]
    assert {row["severity"] for row in rows} == {"major", "minor"}
    assert len({row["fingerprint"] for row in rows}) == len(rows)
    for row in rows:
        assert nested.folder.joinpath(row["location"]["path"]).is_file()
        assert row["location"]["lines"]["begin"] >= 1


def test_fingerprints_survive_moved_lines(nested: Site) -> None:
    """A finding is the same one after lines were put before it."""
    before = {row["fingerprint"] for row in json.loads(check(nested, "gitlab").out)}
    nested.edit("web/assets.toml", "[project]", "# moved\n\n[project]")

    assert {row["fingerprint"] for row in json.loads(check(nested, "gitlab").out)} == before


def test_sarif(nested: Site) -> None:
    """Every result has a rule that is described, a level and a place."""
    report = json.loads(check(nested, "sarif").out)
    (run,) = report["runs"]
    rules = run["tool"]["driver"]["rules"]
    wanted = expected(nested)

    assert report["version"] == "2.1.0"
    assert [result["ruleId"] for result in run["results"]] == [row["code"] for row in wanted]
    assert [result["level"] for result in run["results"]] == [row["severity"] for row in wanted]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert rules[result["ruleIndex"]]["shortDescription"]["text"]
        (place,) = result["locations"]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert nested.folder.joinpath(uri).is_file()


def test_junit(nested: Site) -> None:
    """Each file is a case, errors are its failures, and warnings are what it says."""
    (suite,) = ET.fromstring(check(nested, "junit").out)
    cases = {case.attrib["name"]: case for case in suite}
    failed = [case for case in suite if case.find("failure") is not None]

    assert int(suite.attrib["tests"]) == len(cases)
    assert int(suite.attrib["failures"]) == len(failed) == 3
    assert list(cases["img/fox.png"]) == []
    said = cases["img/bell.png"].findtext("system-out") or ""
    assert said.startswith("too-large: ")
    kinds = {failure.attrib["type"] for failure in suite.iter("failure")}
    assert kinds == {row["code"] for row in expected(nested) if row["severity"] == "error"}


@pytest.mark.parametrize("form", FORMATS)
def test_a_clean_tree_is_a_report_too(site: Site, form: str) -> None:
    """With nothing to report, services get an empty report and exit code 0."""
    assert site.run("build").code == Exit.DONE
    ran = site.run("check", "--output-format", form)

    assert ran.code == Exit.DONE
    assert ET.fromstring(ran.out) if form == "junit" else json.loads(ran.out) is not None
    assert not re.search("ruleId|check_name|<failure", ran.out)


@pytest.mark.parametrize("form", FORMATS)
def test_a_spec_that_cannot_be_read_is_reported_as_well(nested: Site, form: str) -> None:
    """Mistakes in the spec are findings, at their lines, with the exit code of mistakes."""
    nested.edit("web/assets.toml", "width = 128", "widht = 128")
    ran = check(nested, form)

    assert ran.code == Exit.USAGE
    assert "web/assets.toml" in ran.out
    assert "unknown key `widht`" in ran.out


@given(findings=FINDINGS)
def test_no_text_breaks_a_report(findings: list[Finding]) -> None:
    """Whatever stands in a name or a message, XML and JSON stay well formed."""
    said = Collected()
    reports.junit(said, findings, None)
    assert len(ET.fromstring(said.text).findall(".//testcase")) <= len(findings)
    for report in (reports.gitlab, reports.sarif):
        said.text = ""
        report(said, findings, None)
        assert json.loads(said.text) is not None


class Collected(Console):
    """A console that keeps what is printed."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def raw(self, text: str) -> None:
        """Keep it."""
        self.text += text
