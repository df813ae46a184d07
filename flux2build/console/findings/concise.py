"""Findings for people and `grep`, one line each."""

from __future__ import annotations

from typing import Final

from flux2build.console.console import Console
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.findings.tally import tally


def show(console: Console, report: CheckReport) -> None:
    """Print the findings on stdout, and their number on stderr."""
    for finding in report.findings:
        where = finding.place or finding.path or ""
        asset = f" {finding.asset}:" if finding.asset else ""
        console.data(f"{where}: {finding.severity} {finding.code}:{asset} {finding.message}")
    console.say(tally(report))


FORMAT: Final[OutputFormat] = OutputFormat(show)
