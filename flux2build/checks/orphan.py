"""Everything in the lock is wanted by the spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Options, Subject
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Problem

_MESSAGE: Final = "the spec no longer wants this output"


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """An output that the lock holds and the spec no longer wants."""
    for orphan in facts.plan.orphans:
        hint = "`flux2build prune` shows what is left over, and what `--yes` would remove"
        yield Finding("orphan", Problem(_MESSAGE, hint=hint), orphan.asset, orphan.path)


CHECK: Final[Check] = Check({"orphan": _MESSAGE}, findings, subject=Subject.STEPS)
