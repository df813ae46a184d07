"""Pictures keep to the colours of a brand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from flux2build.checks.contract import Check, Level, Options, Subject
from flux2build.checks.facts import Current, Facts
from flux2build.checks.finding import Finding
from flux2build.images.colour.difference import difference
from flux2build.images.colour.notation import Colour
from flux2build.images.dominant import CLEAR, DominantColour
from flux2build.model import AssetName
from flux2build.tables.table import Field, rule

_SHOWN: Final = 3


class PaletteOptions(Options):
    """Options of `palette`, which is off until it is named."""

    severity: Level = "off"
    colours: list[Colour] = Field(default=[], description="the colours to keep to; templates")
    tolerance: float = Field(
        default=15,
        gt=0,
        le=100,
        description="how far from the nearest of them a colour may be, as CIEDE2000: 1 is just "
        "visible, 10 is obvious at a glance",
    )
    share: float = Field(
        default=0.5, gt=0, le=1, description="how much of a picture must be near them"
    )

    @rule
    def _has_colours(self) -> None:
        if self.severity != "off" and not self.colours:
            raise ValueError("give `colours`, those that pictures are to keep to")


def findings(facts: Facts, options: PaletteOptions) -> Iterator[Finding]:
    """A picture whose colours are mostly not the brand's; one for each asset, the farthest."""
    farthest: dict[AssetName, tuple[float, Current]] = {}
    for file in facts.published:
        near = _near(facts.dominant_colours(file.output), options)
        if near < farthest.get(file.recipe.asset, (options.share, file))[0]:
            farthest[file.recipe.asset] = near, file
    for near, file in farthest.values():
        required = f"{options.share:.0%} should be"
        message = f"{math.floor(100 * near)}% of the picture is near the palette, {required}"
        hint = (
            f"{_most(facts.dominant_colours(file.output), options)}; name the colours in the prompt"
        )
        yield facts.about(file.recipe, "off-palette", message, hint=hint)


def _near(colours: Sequence[DominantColour], options: PaletteOptions) -> float:
    """The share of a picture's visible pixels that is near the palette; 1 if it has none."""
    visible = [each for each in colours if each.colour != CLEAR]
    near = sum(each.share for each in visible if _distance(each, options) <= options.tolerance)
    return near / whole if (whole := sum(each.share for each in visible)) else 1.0


def _distance(dominant: DominantColour, options: PaletteOptions) -> float:
    return min(difference(dominant.colour, colour[:7]) for colour in options.colours)


def _most(colours: Sequence[DominantColour], options: PaletteOptions) -> str:
    """The largest colours of a picture that are too far from the palette."""
    distances = [(c.colour, _distance(c, options)) for c in colours if c.colour != CLEAR]
    strays = [f"{colour} ({far:.0f} away)" for colour, far in distances if far > options.tolerance]
    return f"it is mostly {', '.join(strays[:_SHOWN])}"


CHECK: Final[Check] = Check(
    {"off-palette": "too much of the picture is far from the palette"},
    findings,
    PaletteOptions,
    subject=Subject.PICTURES,
)
