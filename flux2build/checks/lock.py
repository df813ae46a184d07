"""The lock holds no merge conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from flux2build.checks.contract import Check, Options
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Place, Problem

_MESSAGE: Final = "the lock holds merge conflicts"


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock in which a merge left its markers; a build reconciles the two sides, free."""

    options: type[Options] = Options

    @property
    def codes(self) -> dict[str, str]:
        """The one code it reports."""
        return {"lock-conflict": _MESSAGE}

    def findings(self, facts: Facts, _options: Options) -> Iterator[Finding]:
        """At most one finding."""
        if facts.conflict is not None:
            path = PurePosixPath(facts.spec.file).with_suffix(".lock").name
            hint = "`flux2build build` keeps, for each asset, the side that the merged spec wants"
            problem = Problem(_MESSAGE, hint=hint)
            yield Finding(
                "lock-conflict", facts.quoted(problem, Place(path, facts.conflict)), path=path
            )


CHECK: Final[Check] = Lock()
