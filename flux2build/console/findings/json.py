"""Findings as the documented JSON of `check --json`."""

from __future__ import annotations

from typing import Final

from flux2build.console.console import Console
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.plan_view import finding_json


def show(console: Console, report: CheckReport) -> None:
    """Print one JSON document."""
    console.document({"findings": [finding_json(each) for each in report.findings]})


FORMAT: Final[OutputFormat] = OutputFormat(show, machine_readable=True)
