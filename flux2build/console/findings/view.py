"""Findings as people and programs read them; one function for each output format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rich.text import Text

from flux2build.checks.contract import Finding, Severity
from flux2build.console.console import Console, clean, frame
from flux2build.console.findings import reports
from flux2build.console.plan_view import FORMAT_VERSION, counted, footer
from flux2build.digest import Json
from flux2build.errors import Flux2BuildError, LockError, Problem, SpecError, UsageError
from flux2build.lockfile import LockNewer
from flux2build.planning.plan import Plan

View = Callable[[Console, Sequence[Finding], Plan | None], None]
"""Print findings, given also the plan of all that was looked at."""


def of_error(error: Flux2BuildError) -> list[Finding]:
    """An error that kept the check from starting, as findings."""
    return [
        Finding(
            _code(error),
            Severity.ERROR,
            problem.message,
            path=problem.place.file if problem.place else None,
            place=problem.place,
            hint=problem.hint,
        )
        for problem in error.problems
    ]


def _code(error: Flux2BuildError) -> str:
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return "system-fault"


_CODES: Final = (
    (LockNewer, "lock-newer"),
    (LockError, "lock-damaged"),
    (SpecError, "spec-error"),
    (UsageError, "usage-error"),
)
UNUSABLE: Final = {
    "spec-error": "the spec is wrong; the message says what and where",
    "lock-damaged": "the lock cannot be read",
    "lock-newer": "the lock was written by a newer flux2build",
    "usage-error": "the command line names something that does not exist",
    "system-fault": "a file cannot be read",
}
"""Codes of what keeps a check from starting, in the formats for machines."""


def full(console: Console, findings: Sequence[Finding], plan: Plan | None) -> None:
    """Every finding with its place and its mend; those that say the same of many files, once."""
    for group in _grouped(findings):
        first = group[0]
        assets = list(dict.fromkeys(str(f.asset) for f in group if f.asset))
        paths = list(dict.fromkeys(f.path for f in group if f.path))
        about = f"`{assets[0]}`: {first.message}" if len(assets) == 1 else first.message
        rows = (*_rows("asset", assets if len(assets) > 1 else []), *_rows("file", paths))
        problem = Problem(f"{about} [{first.code}]", first.place, rows, first.hint)
        for line in frame(problem, first.severity.value):
            console.data(line)
    console.data(_count(findings, plan))


def _rows(name: str, values: Sequence[str], most: int = 3) -> tuple[tuple[str, str], ...]:
    """The first few values, and how many more there are."""
    more = len(values) - most
    shown = ", ".join(values[:most]) + (f" and {more} more" if more > 0 else "")
    return ((name, shown),) if values else ()


def _grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        key = (finding.code, finding.message, finding.severity, finding.place, finding.hint)
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


def _count(findings: Sequence[Finding], plan: Plan | None) -> Text:
    if not findings and plan is not None:
        return footer(plan)
    counts = Counter(finding.severity for finding in findings)
    parts = [f"{n} {s.value}{'s' if n > 1 else ''}" for s, n in sorted(counts.items())]
    files = f" in {counted(len(plan.steps))}" if plan else ""
    return Text(f"{', '.join(parts)}{files}.", "bold")


def concise(console: Console, findings: Sequence[Finding], plan: Plan | None) -> None:
    """One line a finding."""
    for finding in findings:
        where = finding.place or finding.path or ""
        asset = f" {finding.asset}:" if finding.asset else ""
        console.data(f"{where}: {finding.severity} {finding.code}:{asset} {finding.message}")
    console.say(_count(findings, plan))


def as_json(console: Console, findings: Sequence[Finding], _plan: Plan | None) -> None:
    """The documented JSON of `check --json`."""
    console.json({"format_version": FORMAT_VERSION, "findings": [_row(f) for f in findings]})


def _row(finding: Finding) -> Json:
    place = finding.place
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "asset": finding.asset,
        "path": finding.path,
        "file": place.file if place else None,
        "line": place.line or None if place else None,
        "column": place.column or None if place else None,
        "message": finding.message,
        "hint": finding.hint,
    }


def github(console: Console, findings: Sequence[Finding], _plan: Plan | None) -> None:
    """Workflow commands, which GitHub shows as annotations beside the spec's lines."""
    for finding in findings:
        properties = {"title": f"flux2build {finding.code}"}
        if finding.place:
            properties |= {"file": finding.place.file, "line": str(finding.place.line or 1)}
            properties |= {"col": str(finding.place.column)} if finding.place.column else {}
        listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        hint = f"\n{finding.hint}" if finding.hint else ""
        console.raw(f"::{finding.severity} {listed}::{_data(reports.about(finding) + hint)}\n")


def _data(text: str) -> str:
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Final[Mapping[str, View]] = {
    "full": full,
    "concise": concise,
    "json": as_json,
    "github": github,
    "gitlab": reports.gitlab,
    "junit": reports.junit,
    "sarif": reports.sarif,
}
FOR_SERVICES: Final = frozenset({github, reports.gitlab, reports.junit, reports.sarif})
"""Formats for services, which know files by their path in the repository."""
MACHINE_READABLE: Final = frozenset({as_json, *FOR_SERVICES})
"""Formats in which even an unusable spec or lock is reported as findings."""
