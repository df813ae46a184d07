"""The findings of checks."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from flux2build.errors import Problem
from flux2build.model import AssetName


class Severity(StrEnum):
    """How grave a finding is: an error fails `check`, a warning only with `--strict`."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Struct, frozen=True):
    """A problem that a check found, with its code and what it is about."""

    code: str
    problem: Problem
    asset: AssetName | None = None
    path: str | None = None
    """The file concerned: an output, a source, the spec or the lock."""
    severity: Severity = Severity.ERROR
    """From the options of the check; `evaluate` sets it, checks do not."""
    cause: str = ""
    """The common cause of several findings, as the same text; empty for a finding of its own."""
