"""`sharpen`: crisper edges, as after making a picture smaller."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageFilter

from flux2build.images.alpha import on_solid
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field


class Sharpen(Op):
    """Raise the contrast of edges with an unsharp mask."""

    name = "sharpen"
    keeps_cells = True

    amount: float = Field(default=0.8, gt=0, le=5, description="how strongly; 1 is 100 %")
    radius: float = Field(default=1, gt=0, le=50, description="width of an edge in pixels")
    threshold: int = Field(
        default=2, ge=0, le=255, description="differences up to this many levels stay as they are"
    )

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The sharper picture; alpha stays as it is."""
        mask = ImageFilter.UnsharpMask(self.radius, round(self.amount * 100), self.threshold)
        return on_solid(image, self.radius * 2, lambda colours: colours.filter(mask))


OP: Final[type[Op]] = Sharpen
