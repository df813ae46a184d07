"""Findings as workflow commands, which GitHub shows as annotations beside the spec's lines."""

from __future__ import annotations

from typing import Final

from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.findings.wording import by_cause, follows, title


def show(console: Console, report: CheckReport) -> None:
    """Print one workflow command for each cause."""
    for group in by_cause(report.findings):
        finding = group[0]
        properties, place = {"title": f"flux2build {finding.code}"}, finding.problem.place
        if place:
            properties |= {"file": place.file, "line": str(place.line or 1)}
            properties |= {"col": str(place.column)} if place.column else {}
        listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        text = "\n".join(filter(None, (title(finding), follows(group), finding.problem.hint)))
        console.raw(f"::{finding.severity} {listed}::{_data(text)}\n")


def _data(text: str) -> str:
    return clean(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMAT: Final[OutputFormat] = OutputFormat(show, machine_readable=True, repository_paths=True)
