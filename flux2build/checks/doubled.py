"""The lock holds one side of a merge."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import splitext
from typing import Final

from flux2build.checks.contract import Check, Options, Subject, Warnings
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Place, Problem

_MESSAGE: Final = "the lock holds both sides of a merge"


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A lock that keeps both sides of a merge, without git's markers.

    It is read like a conflict: for each asset, the side that agrees with the spec counts.
    """
    if facts.doubled is not None:
        path = splitext(facts.spec.file)[0] + ".lock"
        hint = "`flux2build build` writes, for each asset, the side that the merged spec wants"
        problem = facts.quoted(Problem(_MESSAGE, hint=hint), Place(path, facts.doubled))
        yield Finding("lock-doubled", problem, path=path)


CHECK: Final[Check] = Check({"lock-doubled": _MESSAGE}, findings, Warnings, subject=Subject.SPEC)
