"""`denoise`: take grain and specks out of the picture."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageFilter

from flux2build.images.alpha import on_solid
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field


class Denoise(Op):
    """Replace each pixel by the median of its surroundings; edges stay sharp."""

    name = "denoise"
    synonyms = ("median",)
    keeps_cells = True

    radius: int = Field(default=1, ge=1, le=3, description="specks up to this many pixels go")
    strength: float = Field(
        default=1, gt=0, le=1, description="share of the cleaned picture in the outcome"
    )

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The cleaner picture; alpha stays as it is."""

        def cleaned(colours: Image.Image) -> Image.Image:
            median = colours.filter(ImageFilter.MedianFilter(2 * self.radius + 1))
            return Image.blend(colours, median, self.strength)

        return on_solid(image, self.radius, cleaned)


OP: Final[type[Op]] = Denoise
