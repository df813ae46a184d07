"""Errors that keep a check from starting, as findings for formats that machines read."""

from __future__ import annotations

from typing import Final

from flux2build.checks.finding import Finding
from flux2build.errors import Flux2BuildError, LockError, SpecError, UsageError
from flux2build.lockfile import LockNewer

_CODES: Final[tuple[tuple[type[Flux2BuildError], str], ...]] = (
    (LockNewer, "lock-newer"),
    (LockError, "lock-damaged"),
    (SpecError, "spec-error"),
    (UsageError, "usage-error"),
    (Flux2BuildError, "system-fault"),
)
UNUSABLE: Final = {
    "spec-error": "the spec is wrong; the message says what and where",
    "lock-damaged": "the lock cannot be read",
    "lock-newer": "the lock was written by a newer flux2build",
    "usage-error": "the command line names something that does not exist",
    "system-fault": "a file cannot be read",
}
"""What the codes of such findings mean."""


def of_error(error: Flux2BuildError) -> list[Finding]:
    """Every problem of an error, as a finding."""
    code = next(code for kind, code in _CODES if isinstance(error, kind))
    return [
        Finding(code, problem, path=problem.place.file if problem.place else None)
        for problem in error.problems
    ]
