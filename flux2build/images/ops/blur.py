"""`blur`: soften the picture, or one part of it."""

from __future__ import annotations

from typing import Annotated, Final

from PIL import Image, ImageFilter

from flux2build.errors import SpecError
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field

Pixels = Annotated[int, Field(ge=0)]


class Blur(Op):
    """Gaussian blur; transparent edges soften without darkening."""

    name = "blur"
    synonyms = ("gaussian",)
    keeps_cells = True

    radius: float = Field(gt=0, le=500, description="standard deviation in pixels")
    box: Annotated[list[Pixels], Field(min_length=4, max_length=4)] | None = Field(
        default=None,
        description="left, top, width and height of the part to soften; all of it when not given",
    )

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The softened picture, of the same size."""
        if self.box is None:
            return self._soft(image, self.radius)
        left, top, width, height = self.box
        box = (left, top, left + width, top + height)
        if box[2] > image.width or box[3] > image.height or 0 in (width, height):
            raise SpecError(
                f"the part {width}x{height} at {left},{top} is not inside "
                f"{image.width}x{image.height} pixels"
            )
        blurred = image.copy()
        blurred.paste(self._soft(image.crop(box), self.radius), box)
        return blurred

    @staticmethod
    def _soft(image: Image.Image, radius: float) -> Image.Image:
        soften = ImageFilter.GaussianBlur(radius)
        if image.mode != "RGBA":
            return image.filter(soften)
        return image.convert("RGBa").filter(soften).convert("RGBA")


OP: Final[type[Op]] = Blur
