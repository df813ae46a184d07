"""Every picture has alternative text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from flux2build.checks.contract import Check, Facts, Finding, Level, Options, Severity

_MISSING: Final = "there is no alternative text"


class AltOptions(Options):
    """Options of `alt`: off until it is named."""

    severity: Level = Field(default="off", description="how much its findings weigh")
    decorative: bool = Field(
        default=True, description='accept `alt = ""`, which says that a picture is decoration'
    )


@dataclass(frozen=True, slots=True)
class Alt:
    """A picture without the text that stands in for it where it cannot be seen."""

    name: str = "alt"
    options: type[Options] = AltOptions

    @property
    def codes(self) -> dict[str, str]:
        """The one code it reports."""
        return {"alt-missing": _MISSING}

    def findings(self, facts: Facts, options: AltOptions) -> Iterator[Finding]:
        """One finding for each asset."""
        hint = "say what is to be seen in `alt`"
        if options.decorative:
            hint += ', or that it is decoration with `alt = ""`'
        for asset in facts.spec.assets.values():
            empty = asset.alt is not None and not asset.alt.strip()
            if asset.alt is None or (empty and not options.decorative):
                yield Finding(
                    code="alt-missing",
                    severity=Severity.ERROR,
                    message=_MISSING,
                    asset=asset.name,
                    place=facts.spec.place(asset.key),
                    hint=hint,
                )


CHECK: Final[Check] = Alt()
