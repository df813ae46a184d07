"""No picture is empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Level, Options, Subject
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.images.dominant import CLEAR
from flux2build.tables.table import Field


class BlankOptions(Options):
    """Options of `blank`."""

    severity: Level = "warning"
    share: float = Field(
        default=0.99, gt=0.5, le=1, description="how much of a picture may be of one colour"
    )


def findings(facts: Facts, options: BlankOptions) -> Iterator[Finding]:
    """A picture that is transparent or of one colour, entirely or nearly so."""
    for file in facts.files:
        most = facts.dominant_colour(file.output)
        if most and most.share >= 100 * options.share:
            colour = "transparent" if most.colour == CLEAR else most.colour
            message = f"{most.share}% of the picture is {colour}"
            hint = f"look at it; {facts.another(file)}"
            yield facts.about(file.recipe, "blank", message, hint=hint)


CHECK: Final[Check] = Check(
    {"blank": "there is next to nothing to be seen in the picture"},
    findings,
    BlankOptions,
    subject=Subject.PICTURES,
)
