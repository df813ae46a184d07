"""How services identify a finding: by a title, a line of a file, and a fingerprint."""

from __future__ import annotations

from flux2build.checks.finding import Finding
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
