"""`duotone`: print the picture in two inks."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageOps

from flux2build.images.alpha import on_colours
from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field


class Duotone(Op):
    """Map the tones of the picture onto a ramp between two colours."""

    name = "duotone"
    keeps_cells = True

    shadows: Colour = Field(description="colour of what is dark")
    highlights: Colour = Field(description="colour of what is light")
    contrast: bool = Field(
        default=True, description="stretch the tones first, so that both colours are reached"
    )

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The picture in two inks; alpha stays as it is."""

        def printed(colours: Image.Image) -> Image.Image:
            tones = colours.convert("L")
            if self.contrast:
                visible = (
                    image.getchannel("A").point(lambda alpha: 255 if alpha else 0)
                    if image.mode == "RGBA"
                    else None
                )
                tones = ImageOps.autocontrast(tones, mask=visible)
            return ImageOps.colorize(tones, rgba(self.shadows)[:3], rgba(self.highlights)[:3])

        return on_colours(image, printed)


OP: Final[type[Op]] = Duotone
