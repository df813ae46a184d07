"""Every text is in the language of its reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from flux2build.checks.contract import Check, Facts, Finding, Level, Options, Severity


class TranslationsOptions(Options):
    """Options of `translations`."""

    severity: Level = Field(default="warning", description="how much its findings weigh")


@dataclass(frozen=True, slots=True)
class Translations:
    """A string that a locale lacks, where `[catalog]` lets another one stand in or skips the file."""

    name: str = "translations"
    options: type[Options] = TranslationsOptions

    @property
    def codes(self) -> dict[str, str]:
        """What happens in place of a translation."""
        return {
            "translation-fallback": "a string is not translated, and another locale's stands in",
            "translation-skipped": "a string is not translated, and its files are left out",
        }

    def findings(self, facts: Facts, _options: TranslationsOptions) -> Iterator[Finding]:
        """One finding for each string of each locale."""
        for gap in facts.spec.gaps:
            skipped = gap.instead == "no file"
            what = "its files are left out" if skipped else f"that of `{gap.instead}` stands in"
            yield Finding(
                code="translation-skipped" if skipped else "translation-fallback",
                severity=Severity.WARNING,
                message=f"`{gap.key}` is not translated into `{gap.locale}`: {what}",
                path=gap.file,
                place=gap.place or facts.spec.place(("catalog", "path")),
                hint=f"translate it in `{gap.file}`",
            )


CHECK: Final[Check] = Translations()
