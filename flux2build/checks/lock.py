"""The lock holds no merge conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from flux2build.checks.contract import Check, Options
from flux2build.checks.facts import Facts, Finding
from flux2build.errors import Place, Problem

_MESSAGE: Final = "the lock holds merge conflicts"


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A lock in which a merge left its markers; a build reconciles the two sides, free."""
    if facts.conflict is not None:
        path = PurePosixPath(facts.spec.file).with_suffix(".lock").name
        hint = "`flux2build build` keeps, for each asset, the side that the merged spec wants"
        problem = Problem(_MESSAGE, hint=hint)
        yield Finding(
            "lock-conflict", facts.quoted(problem, Place(path, facts.conflict)), path=path
        )


CHECK: Final[Check] = Check({"lock-conflict": _MESSAGE}, findings)
