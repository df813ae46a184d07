"""`sharpen`: crisper edges, as after making a picture smaller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageFilter
from pydantic import Field

from flux2build.images.alpha import on_solid
from flux2build.images.ops.contract import Op, Params


class SharpenParams(Params):
    """An unsharp mask."""

    amount: float = Field(default=0.8, gt=0, le=5, description="how strongly; 1 is 100 %")
    radius: float = Field(default=1, gt=0, le=50, description="width of an edge in pixels")
    threshold: int = Field(
        default=2, ge=0, le=255, description="differences up to this many levels stay as they are"
    )


class Sharpen(Op):
    """Raise the contrast of edges with an unsharp mask."""

    name = "sharpen"
    version = 1
    params = SharpenParams
    keeps_cells = True

    def apply(
        self, image: Image.Image, params: SharpenParams, _inputs: Sequence[bytes]
    ) -> Image.Image:
        """The sharper picture; alpha stays as it is."""
        mask = ImageFilter.UnsharpMask(params.radius, round(params.amount * 100), params.threshold)
        return on_solid(image, params.radius * 2, lambda colours: colours.filter(mask))


OP: Final[Op] = Sharpen()
