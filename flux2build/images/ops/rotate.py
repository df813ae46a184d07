"""`rotate`: turn the picture."""

from __future__ import annotations

from typing import Final

from PIL import Image

from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.ops.contract import Canvas, Inputs, Op
from flux2build.tables.table import Field

_QUARTERS: Final = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


class Rotate(Op):
    """Turn the picture clockwise; quarter turns move pixels and change none."""

    name = "rotate"

    degrees: float = Field(ge=-360, le=360, description="how far to turn, clockwise")
    expand: bool = Field(
        default=True, description="grow the canvas until the turned picture fits on it"
    )
    color: Colour = Field(default="#00000000", description="colour of the corners that appear")

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """The canvas after quarter turns, which turn the sides, too; None after other turns."""
        del inputs
        quarter = int(self.degrees % 360) if self.degrees % 90 == 0 else None
        if canvas is None or quarter is None or (quarter in {90, 270} and not self.expand):
            return None
        return Canvas(canvas.size if quarter in {0, 180} else canvas.size[::-1])

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The turned picture; it gains alpha only for corners that are not opaque."""
        degrees = self.degrees % 360
        if degrees == 0:
            return image
        if degrees in _QUARTERS and (self.expand or degrees == 180):
            return image.transpose(_QUARTERS[int(degrees)])
        turned = image.convert("RGBA").rotate(
            -degrees, Image.Resampling.BICUBIC, expand=self.expand
        )
        canvas = Image.new("RGBA", turned.size, rgba(self.color))
        canvas.alpha_composite(turned)
        opaque = image.mode == "RGB" and rgba(self.color)[3] == 255
        return canvas.convert("RGB") if opaque else canvas


OP: Final[type[Op]] = Rotate
