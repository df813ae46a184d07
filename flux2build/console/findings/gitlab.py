"""Findings as a report of code quality, which GitLab shows in a merge request."""

from __future__ import annotations

from typing import Final

from flux2build.checks.finding import Severity
from flux2build.console.console import Console
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.findings.wording import (
    by_cause,
    file_of,
    fingerprint,
    follows,
    line_of,
    title,
)
from flux2build.digest import Json

_SEVERITIES: Final = {Severity.ERROR: "major", Severity.WARNING: "minor"}


def show(console: Console, report: CheckReport) -> None:
    """Print one JSON document."""
    rows: list[Json] = [
        {
            "check_name": group[0].code,
            "description": ". ".join(filter(None, (title(group[0]), follows(group)))),
            "fingerprint": fingerprint(group),
            "severity": _SEVERITIES[group[0].severity],
            "location": {"path": file_of(group[0]), "lines": {"begin": line_of(group[0])}},
        }
        for group in by_cause(report.findings)
    ]
    console.json(rows)


FORMAT: Final[OutputFormat] = OutputFormat(
    show, machine_readable=True, whole=True, repository_paths=True
)
