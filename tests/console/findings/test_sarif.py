"""`sarif` reports every finding with its rule, its level and its place."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from hypothesis import given

from flux2build import __version__
from flux2build.checks.finding import Finding
from flux2build.console.findings.wording import by_cause
from flux2build.errors import Place, Problem
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
        assert nested.folder.joinpath(unquote(uri)).is_file()


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("my site/assets.toml", "my%20site/assets.toml"),
        ("100% #1/assets.toml", "100%25%20%231/assets.toml"),
        ("caf\u00e9/a?b.toml", "caf%C3%A9/a%3Fb.toml"),
        ("c:/assets.toml", "c%3A/assets.toml"),
        ("caf\udce9.toml", "caf%E9.toml"),
        ("a+b/(c)@2x,d=e.toml", "a+b/(c)@2x,d=e.toml"),
    ],
)
def test_files_are_named_by_uri_references(path: str, uri: str) -> None:
    """Whatever a file is called, its URI names that file and nothing else (SARIF 3.4.3)."""
    (run,) = json.loads(recorded("sarif", [Finding("odd", Problem("odd", Place(path)))]))["runs"]
    (location,) = run["results"][0]["locations"]

    assert location["physicalLocation"]["artifactLocation"] == {"uri": uri}


@given(findings=FINDINGS)
def test_no_text_breaks_the_report(findings: list[Finding]) -> None:
    """Whatever stands in a name or a message, the JSON stays well formed."""
    (run,) = json.loads(recorded("sarif", findings))["runs"]
    assert len(run["results"]) == len(by_cause(findings))
