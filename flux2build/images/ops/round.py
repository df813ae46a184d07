"""`round`: round the corners of the picture."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw

from flux2build.images.alpha import faded
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field, rule

_FINEST: Final = 8
"""Corners are drawn up to this many times larger, then reduced: their edges are smooth."""

_LARGEST: Final = 4096
"""Most pixels a side to draw a corner with, unless it is larger by itself."""


class Round(Op):
    """Make the corners transparent outside a quarter of a circle."""

    name = "round"
    synonyms = ("rounded",)

    radius: int | None = Field(default=None, ge=1, le=8192, description="radius in pixels")
    percent: float | None = Field(
        default=None,
        gt=0,
        le=50,
        description="radius in percent of the shorter side; 50 makes a square a circle",
    )

    @rule
    def _combines(self) -> None:
        if (self.radius is None) == (self.percent is None):
            raise ValueError("give `radius` or `percent`")

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The picture with alpha in its corners; a radius ends at half the shorter side."""
        short = min(image.size)
        length = self.radius or round(short * (self.percent or 0) / 100)
        radius = max(1, min(length, short // 2))
        return faded(image, self._mask(image.size, radius))

    @staticmethod
    def _mask(size: tuple[int, int], radius: int) -> Image.Image:
        finer = max(1, min(_FINEST, _LARGEST // radius))
        large = Image.new("L", (radius * finer, radius * finer), 0)
        reach = 2 * radius * finer - 1
        ImageDraw.Draw(large).ellipse((0, 0, reach, reach), fill=255)
        corner = large.reduce(finer)
        right, bottom = size[0] - radius, size[1] - radius
        mirror, upend = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM
        mask = Image.new("L", size, 255)
        for upper, left in ((corner, 0), (corner.transpose(mirror), right)):
            mask.paste(upper, (left, 0))
            mask.paste(upper.transpose(upend), (left, bottom))
        return mask


OP: Final[type[Op]] = Round
