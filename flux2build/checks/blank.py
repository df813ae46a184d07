"""No picture is empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from flux2build.checks.contract import Check, Level, Options
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.images.colour.dominant import CLEAR


class BlankOptions(Options):
    """Options of `blank`."""

    severity: Level = "warning"
    share: float = Field(
        default=0.99, gt=0.5, le=1, description="how much of a picture may be of one colour"
    )


@dataclass(frozen=True, slots=True)
class Blank:
    """A picture that is transparent or of one colour, entirely or nearly so."""

    options: type[Options] = BlankOptions

    @property
    def codes(self) -> dict[str, str]:
        """The one code it reports."""
        return {"blank": "there is next to nothing to be seen in the picture"}

    def findings(self, facts: Facts, options: BlankOptions) -> Iterator[Finding]:
        """One finding for each file."""
        for file in facts.files():
            most = next(iter(facts.dominant_colours(file.output)), None)
            if most and most.share >= 100 * options.share:
                colour = "transparent" if most.colour == CLEAR else most.colour
                message = f"{most.share}% of the picture is {colour}"
                hint = "look at it; `take = 2` asks for another one"
                yield facts.about(file.recipe, "blank", message, hint=hint)


CHECK: Final[Check] = Blank()
