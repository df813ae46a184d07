"""`flip`: mirror the picture."""

from __future__ import annotations

from typing import Final, Literal

from PIL import Image

from flux2build.images.ops.contract import Canvas, Inputs, Op
from flux2build.tables.table import Field

_MOVES: Final = {
    "horizontal": Image.Transpose.FLIP_LEFT_RIGHT,
    "vertical": Image.Transpose.FLIP_TOP_BOTTOM,
}


class Flip(Op):
    """Mirror the picture, exactly."""

    name = "flip"
    synonyms = ("mirror",)

    direction: Literal["horizontal", "vertical"] = Field(
        default="horizontal",
        description="`horizontal` exchanges left and right, `vertical` top and bottom",
    )

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """A canvas of the same size; mirrored letters do not count as letters."""
        del inputs
        return canvas and Canvas(canvas.size)

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The mirrored picture."""
        return image.transpose(_MOVES[self.direction])


OP: Final[type[Op]] = Flip
