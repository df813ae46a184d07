"""Findings as the documented JSON of `check --json`."""

from __future__ import annotations

from typing import Final

from flux2build.checks.finding import Finding
from flux2build.console.console import Console
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.digest import Json


def show(console: Console, report: CheckReport) -> None:
    """Print one JSON document."""
    rows = [_row(finding) for finding in report.findings]
    console.document({"findings": rows})


def _row(finding: Finding) -> Json:
    place = finding.problem.place
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "asset": finding.asset,
        "path": finding.path,
        "file": place.file if place else None,
        "line": place.line or None if place else None,
        "column": place.column or None if place else None,
        "message": finding.problem.message,
        "hint": finding.problem.hint,
    }


FORMAT: Final[OutputFormat] = OutputFormat(show, machine_readable=True)
