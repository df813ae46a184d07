"""`vignette`: darken the picture towards its corners."""

from __future__ import annotations

from typing import Final

from PIL import Image

from flux2build.images.alpha import on_colours
from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field


class Vignette(Op):
    """Fade the picture into a colour towards its corners."""

    name = "vignette"

    strength: float = Field(default=0.5, gt=0, le=1, description="share of the colour in a corner")
    start: float = Field(
        default=0.4, ge=0, lt=1, description="how far from the centre it begins; 1 is a corner"
    )
    color: Colour = Field(default="#000000", description="colour of the corners")

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The picture with shaded corners; alpha stays as it is."""
        levels = [self._share(level / 255) for level in range(256)]
        far = Image.radial_gradient("L")
        mask = far.resize(image.size, Image.Resampling.BILINEAR).point(levels)
        shade = Image.new("RGB", image.size, rgba(self.color)[:3])
        return on_colours(image, lambda colours: Image.composite(shade, colours, mask))

    def _share(self, distance: float) -> int:
        """Smooth at both ends, so that no ring shows where it begins."""
        way = max(0.0, (distance - self.start) / (1 - self.start))
        return round(255 * self.strength * way * way * (3 - 2 * way))


OP: Final[type[Op]] = Vignette
