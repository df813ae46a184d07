"""Findings as people and programs read them; one function for each output format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rich.text import Text

from flux2build.check import Finding, Severity
from flux2build.console import Console, clean, frame
from flux2build.digest import Json
from flux2build.errors import Flux2BuildError, LockError, Problem
from flux2build.planview import FORMAT_VERSION

View = Callable[[Console, Sequence[Finding], int], None]
"""Print findings, given also how many files were looked at."""


def of_error(error: Flux2BuildError) -> list[Finding]:
    """An error that kept the check from starting, as findings."""
    code = "lock-unusable" if isinstance(error, LockError) else "spec-error"
    return [
        Finding(
            code,
            Severity.ERROR,
            problem.message,
            path=problem.place.file if problem.place else None,
            place=problem.place,
            hint=problem.hint,
        )
        for problem in error.problems
    ]


def full(console: Console, findings: Sequence[Finding], files: int) -> None:
    """Every finding with its place and its mend; findings that differ only in the file together."""
    for finding, paths in _grouped(findings):
        rows = tuple(("file", path) for path in paths[:3])
        if len(paths) > 3:
            rows = (*rows, ("and", f"{len(paths) - 3} more files"))
        about = f"`{finding.asset}`: {finding.message}" if finding.asset else finding.message
        problem = Problem(f"{about} [{finding.code}]", finding.place, rows, finding.hint)
        for line in frame(problem, finding.severity.value):
            console.data(line)
    console.data(_count(findings, files))


def _grouped(findings: Sequence[Finding]) -> list[tuple[Finding, list[str]]]:
    groups: dict[tuple[object, ...], tuple[Finding, list[str]]] = {}
    for finding in findings:
        key = (finding.asset, finding.code, finding.message, finding.severity)
        groups.setdefault(key, (finding, []))[1].extend([finding.path] if finding.path else [])
    return list(groups.values())


def _count(findings: Sequence[Finding], files: int) -> Text:
    if not findings:
        return Text(f"All {files} files are current.", "green")
    counts = Counter(finding.severity for finding in findings)
    parts = [f"{n} {s.value}{'s' if n > 1 else ''}" for s, n in sorted(counts.items())]
    return Text(f"{', '.join(parts)} in {files} files.", "bold")


def concise(console: Console, findings: Sequence[Finding], files: int) -> None:
    """One line a finding."""
    for finding in findings:
        where = finding.place or finding.path or ""
        asset = f" {finding.asset}:" if finding.asset else ""
        console.data(f"{where}: {finding.severity} {finding.code}:{asset} {finding.message}")
    console.say(_count(findings, files))


def as_json(console: Console, findings: Sequence[Finding], _files: int) -> None:
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


def github(console: Console, findings: Sequence[Finding], _files: int) -> None:
    """Workflow commands, which GitHub shows as annotations beside the spec's lines."""
    for finding in findings:
        properties = {"title": f"flux2build {finding.code}"}
        if finding.place:
            properties |= {"file": finding.place.file, "line": str(finding.place.line or 1)}
            properties |= {"col": str(finding.place.column)} if finding.place.column else {}
        listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        about = f"{finding.asset}: {finding.message}" if finding.asset else finding.message
        hint = f"\n{finding.hint}" if finding.hint else ""
        console.raw(f"::{finding.severity} {listed}::{_data(about + hint)}\n")


def _data(text: str) -> str:
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Final[Mapping[str, View]] = {
    "full": full,
    "concise": concise,
    "json": as_json,
    "github": github,
}
MACHINE_READABLE: Final = frozenset({as_json, github})
"""Formats in which even an unusable spec or lock is reported as findings."""
