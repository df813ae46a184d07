"""How services identify a finding: by a title, a line of a file, and a fingerprint."""

from __future__ import annotations

from flux2build.checks.contract import Finding
from flux2build.digest import Json, of_json


def title(finding: Finding) -> str:
    """The finding's message, after the name of its asset."""
    return f"{finding.asset}: {finding.message}" if finding.asset else finding.message


def file_of(finding: Finding) -> str:
    """The file to show a finding in; services drop findings without one."""
    return finding.place.file if finding.place else "assets.toml"


def line_of(finding: Finding) -> int:
    """The line to show a finding at, from 1."""
    return (finding.place.line if finding.place else 0) or 1


def fingerprint(finding: Finding) -> str:
    """A digest that stays the same when the lines of the spec move."""
    parts: list[Json] = [finding.code, finding.asset, finding.path, finding.message]
    return of_json(parts).removeprefix("sha256:")
