"""Findings to print, and what each output format prints of them."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.checks.finding import Finding, Severity
from flux2build.console.console import Console
from flux2build.console.findings import OUTPUT_FORMATS
from flux2build.console.findings.contract import CheckReport
from flux2build.errors import Place, Problem
from flux2build.model import AssetName
from flux2build.planning.plan import Plan
from tests.conftest import Ran, Site

FINDINGS: Final = st.lists(
    st.builds(
        Finding,
        code=st.sampled_from(["orphan", "blank"]),
        severity=st.sampled_from(Severity),
        problem=st.builds(
            Problem,
            message=st.text(max_size=30),
            place=st.none() | st.builds(Place, st.text(max_size=9), st.integers(0, 9)),
            hint=st.none() | st.text(max_size=30),
        ),
        asset=st.none() | st.text(max_size=9).map(AssetName),
        path=st.none() | st.text(max_size=9),
    ),
    max_size=4,
)


def finding(
    code: str = "output-missing",
    asset: str | None = "fox",
    path: str | None = "img/fox.png",
    severity: Severity = Severity.ERROR,
    hint: str | None = "`flux2build build` restores it, free",
) -> Finding:
    """A finding about the fox."""
    name = AssetName(asset) if asset else None
    problem = Problem("the file is missing", hint=hint)
    if asset:
        place = Place("assets.toml", 4, 8)
        problem = replace(problem, place=place, excerpt="[asset.fox]", width=3)
    return Finding(code, problem, name, path, severity)


def printed(
    capsys: pytest.CaptureFixture[str], name: str, *findings: Finding, plan: Plan | None = None
) -> tuple[str, str]:
    """What a format prints on stdout and on stderr."""
    report = CheckReport(findings, plan, "1.2.3")
    OUTPUT_FORMATS[name].show(Console("never"), report)
    out, err = capsys.readouterr()
    return out, err


class RecordingConsole(Console):
    """A console that keeps what is printed on stdout."""

    text: str = ""

    def raw(self, text: str) -> None:
        """Keep the text."""
        self.text += text


def recorded(name: str, findings: list[Finding]) -> str:
    """What a format prints on stdout, without any fixture."""
    console = RecordingConsole()
    OUTPUT_FORMATS[name].show(console, CheckReport(findings, None, "1.2.3"))
    return console.text


def check(site: Site, name: str) -> Ran:
    """Check the nested site in a format."""
    return site.run("check", "-f", "web/assets.toml", "--output-format", name)


def check_json(site: Site) -> list[dict[str, Any]]:
    """The findings of the nested site, as the documented JSON has them."""
    rows: list[dict[str, Any]] = json.loads(check(site, "json").out)["findings"]
    assert {row["code"] for row in rows} == {
        "alt-missing", "too-large", "encoding-changed", "orphan",
    }  # fmt: skip
    return rows
