"""Measures pictures, so that a person can rank them; the numbers decide nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from PIL import ImageFilter, ImageStat

from flux2build.images.colour.difference import difference
from flux2build.images.decode import decode
from flux2build.images.dominant import CLEAR, DominantColour, dominant_colours

_SIDE: Final = 512
"""Pixels of the longer side of the copy that is measured, so that sizes compare."""
_EDGES: Final = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
_BLANK: Final = 99
"""The percentage of one colour from which on a picture counts as blank."""


class Merits(Struct, frozen=True):
    """The measurements of one picture."""

    sharpness: float
    """The variance of its edges (Laplacian): higher is sharper."""
    blank: bool
    """Whether it is of one colour, entirely or nearly so."""
    palette: float | None
    """How far its colours are from a palette on average, as CIEDE2000; None without a palette."""


def measured(data: bytes, palette: Sequence[str] = ()) -> Merits:
    """Measure a picture's file.

    Raises:
        PictureError: it cannot be decoded.
    """
    grey = decode(data, "the picture").convert("L")
    grey.thumbnail((_SIDE, _SIDE))
    sharpness = ImageStat.Stat(grey.filter(_EDGES)).var[0]
    colours = dominant_colours(data)
    blank = bool(colours) and colours[0].share >= _BLANK
    return Merits(round(sharpness, 1), blank, _distance(colours, palette))


def _distance(colours: Sequence[DominantColour], palette: Sequence[str]) -> float | None:
    """The mean distance of visible colours to the nearest of a palette, weighed by their shares."""
    visible = [each for each in colours if each.colour != CLEAR]
    whole = sum(each.share for each in visible)
    if not palette or not whole:
        return None
    far = sum(
        each.share * min(difference(each.colour, colour[:7]) for colour in palette)
        for each in visible
    )
    return round(far / whole, 1)
