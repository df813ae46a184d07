"""`tint`: give the picture the mood of one colour."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageOps

from flux2build.images.alpha import on_colours
from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field


class Tint(Op):
    """Colour the picture: black and white stay, what lies between turns to one colour."""

    name = "tint"
    synonyms = ("colorize",)
    keeps_cells = True

    color: Colour = Field(description="colour of the middle tones")
    strength: float = Field(
        default=1, ge=0, le=1, description="0 changes nothing, 1 leaves no other colour"
    )

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The tinted picture; alpha stays as it is."""

        def tinted(colours: Image.Image) -> Image.Image:
            middle = rgba(self.color)[:3]
            single = ImageOps.colorize(colours.convert("L"), (0, 0, 0), (255, 255, 255), middle)
            return Image.blend(colours, single, self.strength)

        return on_colours(image, tinted)


OP: Final[type[Op]] = Tint
