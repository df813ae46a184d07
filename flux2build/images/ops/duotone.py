"""`duotone`: print the picture in two inks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageOps
from pydantic import Field

from flux2build.images.alpha import on_colours
from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.ops.contract import Op, Params


class DuotoneParams(Params):
    """The colours that dark and light become."""

    shadows: Colour = Field(description="colour of what is dark")
    highlights: Colour = Field(description="colour of what is light")
    contrast: bool = Field(
        default=True, description="stretch the tones first, so that both colours are reached"
    )


class Duotone(Op):
    """Map the tones of the picture onto a ramp between two colours."""

    name = "duotone"
    version = 1
    params = DuotoneParams
    keeps_cells = True

    def apply(
        self, image: Image.Image, params: DuotoneParams, _inputs: Sequence[bytes]
    ) -> Image.Image:
        """The picture in two inks; alpha stays as it is."""

        def printed(colours: Image.Image) -> Image.Image:
            tones = colours.convert("L")
            if params.contrast:
                visible = image.getchannel("A").point(_mask) if image.mode == "RGBA" else None
                tones = ImageOps.autocontrast(tones, mask=visible)
            return ImageOps.colorize(tones, rgba(params.shadows)[:3], rgba(params.highlights)[:3])

        return on_colours(image, printed)


def _mask(alpha: int) -> int:
    return 255 if alpha else 0


OP: Final[Op] = Duotone()
