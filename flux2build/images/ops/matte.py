"""`matte`: put a colour behind the picture."""

from __future__ import annotations

from typing import Final

from PIL import Image

from flux2build.images.colour.notation import Colour
from flux2build.images.encode import flatten
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field


class Matte(Op):
    """Replace transparency by a colour; with an opaque colour, no alpha is left."""

    name = "matte"
    synonyms = ("background", "flatten")
    keeps_cells = True

    color: Colour = Field(default="#ffffff", description="colour behind transparent pixels")

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The picture on its matte."""
        return flatten(image, self.color)


OP: Final[type[Op]] = Matte
