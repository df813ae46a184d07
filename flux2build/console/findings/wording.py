"""What several formats say: a finding's title, place and fingerprint, and a check's tally."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from flux2build.checks.facts import Finding
from flux2build.console.findings.contract import CheckReport
from flux2build.console.plan_view import counted, footer
from flux2build.digest import Json, of_json


def title(finding: Finding) -> str:
    """The finding's message, after the name of its asset."""
    message = finding.problem.message
    return f"{finding.asset}: {message}" if finding.asset else message


def file_of(finding: Finding) -> str:
    """The file to show a finding in; services drop findings without one."""
    place = finding.problem.place
    return place.file if place else "assets.toml"


def line_of(finding: Finding) -> int:
    """The line to show a finding at, from 1."""
    place = finding.problem.place
    return (place.line if place else 0) or 1


def fingerprint(finding: Finding) -> str:
    """A digest that stays the same when the lines of the spec move."""
    parts: list[Json] = [finding.code, finding.asset, finding.path, finding.problem.message]
    return of_json(parts).removeprefix("sha256:")


def tally(report: CheckReport) -> Text:
    """How many findings there are of each severity; without any, what the plan says."""
    if not report.findings and report.plan is not None:
        return footer(report.plan)
    counts = Counter(finding.severity for finding in report.findings)
    parts = [f"{n} {s.value}{'s' if n > 1 else ''}" for s, n in sorted(counts.items())]
    files = f" in {counted(len(report.plan.steps))}" if report.plan else ""
    return Text(f"{', '.join(parts)}{files}.", "bold")
