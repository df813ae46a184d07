"""`flip`: mirror the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from PIL import Image
from pydantic import Field

from flux2build.images.ops.contract import Op, Params

_MOVES: Final = {
    "horizontal": Image.Transpose.FLIP_LEFT_RIGHT,
    "vertical": Image.Transpose.FLIP_TOP_BOTTOM,
}


class FlipParams(Params):
    """Which sides change places."""

    direction: Literal["horizontal", "vertical"] = Field(
        default="horizontal",
        description="`horizontal` exchanges left and right, `vertical` top and bottom",
    )


class Flip(Op):
    """Mirror the picture, exactly."""

    name = "flip"
    version = 1
    params = FlipParams
    synonyms = ("mirror",)

    def apply(
        self, image: Image.Image, params: FlipParams, _inputs: Sequence[bytes]
    ) -> Image.Image:
        """The mirrored picture."""
        return image.transpose(_MOVES[params.direction])


OP: Final[Op] = Flip()
