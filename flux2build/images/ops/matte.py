"""`matte`: put a colour behind the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image
from pydantic import Field

from flux2build.images.colour.notation import Colour
from flux2build.images.encode import flatten
from flux2build.images.ops.contract import Op, Params


class MatteParams(Params):
    """The colour behind."""

    color: Colour = Field(default="#ffffff", description="colour behind transparent pixels")


class Matte(Op):
    """Replace transparency by a colour; with an opaque colour, no alpha is left."""

    name = "matte"
    version = 1
    params = MatteParams
    synonyms = ("background", "flatten")
    keeps_cells = True

    def apply(
        self, image: Image.Image, params: MatteParams, _inputs: Sequence[bytes]
    ) -> Image.Image:
        """The picture on its matte."""
        return flatten(image, params.color)


OP: Final[Op] = Matte()
