"""Everything in the lock is wanted by the spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flux2build.checks.contract import Check, Facts, Finding, Options, Severity


@dataclass(frozen=True, slots=True)
class Orphan:
    """An output that the lock holds and the spec no longer wants."""

    name: str = "orphan"
    options: type[Options] = Options

    @property
    def codes(self) -> dict[str, str]:
        """The one code it reports."""
        return {"orphan": "the spec no longer wants this output"}

    def findings(self, facts: Facts, _options: Options) -> Iterator[Finding]:
        """One finding for each output that is left over."""
        for orphan in facts.plan.orphans:
            yield Finding(
                code="orphan",
                severity=Severity.ERROR,
                message="the spec no longer wants this output",
                asset=orphan.asset,
                path=orphan.path,
                hint="`flux2build prune` shows what is left over, and `--yes` removes it",
            )


CHECK: Final[Check] = Orphan()
