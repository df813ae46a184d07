"""The lock is there, and holds no merge conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from flux2build.checks.contract import Check, Options, Subject
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Place, Problem

_MESSAGE: Final = "the lock holds merge conflicts"


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A lock that is missing beside its pictures, or in which a merge left its markers; a build reconciles the two sides, free."""
    path = PurePosixPath(facts.spec.file).with_suffix(".lock").name
    if facts.lockless is not None:
        yield Finding("lock-missing", facts.lockless, path=path)
    if facts.conflict is not None:
        hint = "`flux2build build` keeps, for each asset, the side that the merged spec wants"
        problem = Problem(_MESSAGE, hint=hint)
        yield Finding(
            "lock-conflict", facts.quoted(problem, Place(path, facts.conflict)), path=path
        )


CHECK: Final[Check] = Check(
    {
        "lock-conflict": _MESSAGE,
        "lock-missing": "there is no lock beside outputs that are there",
    },
    findings,
    subject=Subject.SPEC,
)
