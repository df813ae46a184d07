"""Every string is translated into every locale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Options, Subject, Warnings
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Problem


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A string that a locale lacks, where `[catalog]` uses another locale or skips the files."""
    for gap in facts.spec.gaps:
        skipped = gap.instead == "no file"
        instead = "its files are left out" if skipped else f"that of `{gap.instead}` stands in"
        problem = Problem(
            f"`{gap.key}` is not translated into `{gap.locale}`: {instead}",
            hint=f"translate it in `{gap.file}`",
        )
        yield Finding(
            "translation-skipped" if skipped else "translation-fallback",
            facts.quoted(problem, gap.place)
            if gap.place
            else facts.spec.located(problem, ("catalog", "path")),
            path=gap.file,
        )


CHECK: Final[Check] = Check(
    {
        "translation-fallback": "a string is not translated, and another locale's stands in",
        "translation-skipped": "a string is not translated, and its files are left out",
    },
    findings,
    Warnings,
    subject=Subject.SPEC,
)
