"""What a check reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flux2build.errors import Problem
from flux2build.model import AssetName


class Severity(StrEnum):
    """How grave a finding is: an error fails `check`, a warning only with `--strict`."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that a check found, with its code and what it is about."""

    code: str
    problem: Problem
    asset: AssetName | None = None
    path: str | None = None
    """The file concerned: an output, a source, the spec or the lock."""
    severity: Severity = Severity.ERROR
    """From the options of the check; `evaluate` sets it, checks do not."""
