"""Errors that keep a check from starting, as findings for formats that machines read."""

from __future__ import annotations

from typing import Final

from flux2build.checks.finding import Finding
from flux2build.errors import Flux2BuildError, LockError, SpecError, UsageError
from flux2build.lockfile import LockNewer

UNUSABLE: Final[tuple[tuple[type[Flux2BuildError], str, str], ...]] = (
    (SpecError, "spec-error", "the spec is wrong; the message says what and where"),
    (LockNewer, "lock-newer", "the lock was written by a newer flux2build"),
    (LockError, "lock-damaged", "the lock cannot be read"),
    (UsageError, "usage-error", "the command line names something that does not exist"),
    (Flux2BuildError, "system-fault", "a file cannot be read"),
)
"""The codes of such findings by error, each with its meaning; the first match counts."""


def of_error(error: Flux2BuildError) -> list[Finding]:
    """Every problem of an error, as a finding."""
    code = next(code for kind, code, _ in UNUSABLE if isinstance(error, kind))
    return [
        Finding(code, problem, path=problem.place.file if problem.place else None)
        for problem in error.problems
    ]
