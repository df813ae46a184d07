"""The words of several formats: a finding's title, place and fingerprint, and a check's tally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from flux2build.checks.finding import Finding
from flux2build.console.findings.contract import CheckReport
from flux2build.console.plan_view import counted, footer
from flux2build.console.styled import Text
from flux2build.digest import Json, of_json

_LISTED: Final = 50


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


def by_cause(findings: Sequence[Finding]) -> list[list[Finding]]:
    """The findings, grouped by their cause, because services show few annotations."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        alike = (finding.cause,) if finding.cause else (finding.code, finding.problem)
        groups.setdefault((finding.severity, *alike), []).append(finding)
    return list(groups.values())


def follows(group: Sequence[Finding]) -> str:
    """The other subjects of a cause, in one sentence; empty for a finding of its own."""
    others = list(dict.fromkeys(f.path or str(f.asset or "") for f in group[1:]))
    more = len(others) - _LISTED
    listed = ", ".join(others[:_LISTED]) + (f" and {more} more" if more > 0 else "")
    return f"Also concerns {listed}" if others else ""


def fingerprint(group: Sequence[Finding]) -> str:
    """A digest that stays the same when the lines of the spec move."""
    finding, cause = group[0], group[0].cause
    parts: list[Json] = [finding.code, finding.asset, finding.path, finding.problem.message]
    if len(group) > 1:  # the group's first finding may change
        parts = [finding.code, cause or finding.problem.message]
    return of_json(parts).removeprefix("sha256:")


def tally(report: CheckReport) -> Text:
    """How many findings there are of each severity; without any, what the plan says."""
    if not report.findings and report.plan is not None:
        return footer(report.plan)
    counts = Counter(finding.severity for finding in report.findings)
    parts = [f"{n} {s.value}{'s' if n > 1 else ''}" for s, n in sorted(counts.items())]
    files = f" in {counted(len(report.plan.steps) + report.plan.kept)}" if report.plan else ""
    return Text(f"{', '.join(parts)}{files}.", "bold")
