"""`sarif` reports every finding with its rule, its level and its place."""

from __future__ import annotations

import json

from hypothesis import given

from flux2build import __version__
from flux2build.checks.finding import Finding
from tests.conftest import Site
from tests.console.findings.samples import FINDINGS, check, check_json, recorded


def test_sarif(nested: Site) -> None:
    """Every result has a rule that is described, a level and a place."""
    report = json.loads(check(nested, "sarif").out)
    (run,) = report["runs"]
    rules = run["tool"]["driver"]["rules"]
    expected = check_json(nested)

    assert report["version"] == "2.1.0"
    assert run["tool"]["driver"]["version"] == __version__
    assert [result["ruleId"] for result in run["results"]] == [row["code"] for row in expected]
    assert [result["level"] for result in run["results"]] == [row["severity"] for row in expected]
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"] != rule["shortDescription"]["text"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert nested.folder.joinpath(uri).is_file()


@given(findings=FINDINGS)
def test_no_text_breaks_the_report(findings: list[Finding]) -> None:
    """Whatever stands in a name or a message, the JSON stays well formed."""
    (run,) = json.loads(recorded("sarif", findings))["runs"]
    assert len(run["results"]) == len(findings)
