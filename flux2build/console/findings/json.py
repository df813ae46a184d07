"""Findings as the documented JSON of `check --json`."""

from __future__ import annotations

from typing import Final

from flux2build.console.console import Console
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.plan_view import problem_json


def show(console: Console, report: CheckReport) -> None:
    """Print one JSON document."""
    rows = [
        {
            "code": finding.code,
            "severity": finding.severity.value,
            "asset": finding.asset,
            "path": finding.path,
            **problem_json(finding.problem),
        }
        for finding in report.findings
    ]
    console.document({"findings": rows})


FORMAT: Final[OutputFormat] = OutputFormat(show, machine_readable=True)
