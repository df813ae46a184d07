"""Findings for people and `grep`, one line each."""

from __future__ import annotations

from typing import Final

from flux2build.console.console import Console
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.findings.wording import tally, title


def show(console: Console, report: CheckReport) -> None:
    """Print the findings on stdout, and their number on stderr."""
    for finding in report.findings:
        where = finding.problem.place or finding.path or ""
        console.whole(f"{where}: {finding.severity} {finding.code}: {title(finding)}")
    console.say(tally(report))


FORMAT: Final[OutputFormat] = OutputFormat(show, working_paths=True)
