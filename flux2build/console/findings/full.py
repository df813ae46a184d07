"""Findings for people, each with its place and its hint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from flux2build.checks.finding import Finding, Severity
from flux2build.console.console import Console, frame
from flux2build.console.findings.contract import CheckReport, OutputFormat
from flux2build.console.findings.wording import tally
from flux2build.errors import Problem

_SHOWN: Final = 3


def show(console: Console, report: CheckReport) -> None:
    """Print every finding; those that only differ in asset and file are printed once."""
    for group in _grouped(report.findings):
        console.data(*frame(_problem(group), group[0].severity.value))
    console.data(tally(report))


def _problem(group: Sequence[Finding]) -> Problem:
    first = group[0]
    assets = list(dict.fromkeys(str(f.asset) for f in group if f.asset))
    paths = list(dict.fromkeys(f.path for f in group if f.path))
    about = f"`{assets[0]}`: " if len(assets) == 1 else ""
    message = f"{about}{first.problem.message} [{first.code}]"
    rows = (*_rows("asset", assets if len(assets) > 1 else []), *_rows("file", paths))
    return replace(first.problem, message=message, rows=(*rows, *first.problem.rows))


def _rows(name: str, values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The first few values, and how many more there are."""
    more = len(values) - _SHOWN
    listing = ", ".join(values[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return ((name, listing),) if values else ()


def _grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    groups: dict[tuple[str, Severity, Problem], list[Finding]] = {}
    for finding in findings:
        key = (finding.code, finding.severity, finding.problem)
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


FORMAT: Final[OutputFormat] = OutputFormat(show)
