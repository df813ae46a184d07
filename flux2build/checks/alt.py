"""Every picture has alternative text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Level, Options, Subject
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.errors import Problem
from flux2build.tables.table import Field

_MISSING: Final = "there is no alternative text"


class AltOptions(Options):
    """Options of `alt`, which is off until it is named."""

    severity: Level = "off"
    decorative: bool = Field(
        default=True, description='accept `alt = ""`, which says that a picture is decoration'
    )


def findings(facts: Facts, options: AltOptions) -> Iterator[Finding]:
    """A picture without the text that replaces it for people who cannot see it."""
    hint = "describe the picture in `alt`"
    if options.decorative:
        hint += ', or mark it as decoration with `alt = ""`'
    for asset in facts.spec.assets.values():
        empty = asset.alt is not None and not asset.alt.strip()
        if asset.alt is None or (empty and not options.decorative):
            problem = facts.spec.located(Problem(_MISSING, hint=hint), asset.key)
            yield Finding("alt-missing", problem, asset.name)


CHECK: Final[Check] = Check({"alt-missing": _MISSING}, findings, AltOptions, subject=Subject.ASSETS)
