"""The contract of a check: facts in, findings out, offline and without writing.

A member is a module of `flux2build/checks/` that ends in `CHECK: Final[Check] = …`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from flux2build.errors import Place
from flux2build.lockfile import Lockfile
from flux2build.model import AssetName
from flux2build.plan import Plan
from flux2build.spec import Spec


class Severity(StrEnum):
    """How much a finding weighs: an error fails `check`, a warning only with `--strict`."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One message of a check: what is the matter, where, and the command that mends it."""

    code: str
    severity: Severity
    message: str
    asset: AssetName | None = None
    path: str | None = None
    """The file concerned: an output, a source, the spec or the lock."""
    place: Place | None = None
    """Where the spec asks for it."""
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All a check may know."""

    spec: Spec
    plan: Plan
    lock: Lockfile
    read: Callable[[str], bytes | None]
    """The bytes of a file below the project root by its path, or None when it is missing."""
    conflicted: bool = False
    """Whether a merge left its markers in the lock."""


class Check(Protocol):
    """One check; `codes` maps each code it may report to a sentence for the docs."""

    @property
    def name(self) -> str:
        """Its name, for `--select` and the docs."""

    @property
    def codes(self) -> dict[str, str]:
        """Every code it can report, with what it means."""

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """What it has to say, in a stable order."""
