"""The lock is as flux2build writes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from flux2build.checks.contract import Check, Facts, Finding, Options, Severity
from flux2build.errors import Place

_MESSAGE: Final = "the lock holds merge conflicts"


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock in which a merge left its markers; a build reconciles the sides, and pays nothing."""

    name: str = "lock"
    options: type[Options] = Options

    @property
    def codes(self) -> dict[str, str]:
        """The one code it reports."""
        return {"lock-conflict": _MESSAGE}

    def findings(self, facts: Facts, _options: Options) -> Iterator[Finding]:
        """At most one finding."""
        if facts.conflict is not None:
            path = PurePosixPath(facts.spec.file).with_suffix(".lock").name
            yield Finding(
                code="lock-conflict",
                severity=Severity.ERROR,
                message=_MESSAGE,
                path=path,
                place=Place(path, facts.conflict),
                hint="`flux2build build` keeps, for each asset, the side that the merged spec wants",
            )


CHECK: Final[Check] = Lock()
