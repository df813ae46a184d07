"""`gitlab` reports findings at lines of files that exist, and knows them again."""

from __future__ import annotations

import json

from hypothesis import given

from flux2build.checks.finding import Finding
from flux2build.console.findings.wording import by_cause
from tests.conftest import Site
from tests.console.findings.samples import FINDINGS, check, check_json, recorded


def test_gitlab(nested: Site) -> None:
    """Each finding has a fingerprint of its own, a path that exists and a line."""
    rows = json.loads(check(nested, "gitlab").out)
    expected = check_json(nested)

    assert [row["check_name"] for row in rows] == [row["code"] for row in expected]
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


@given(findings=FINDINGS)
def test_no_text_breaks_the_report(findings: list[Finding]) -> None:
    """Whatever stands in a name or a message, the JSON stays well formed."""
    assert len(json.loads(recorded("gitlab", findings))) == len(by_cause(findings))
