"""`adjust`: brightness, contrast, saturation, gamma and temperature."""

from __future__ import annotations

from typing import Final

from PIL import Image

from flux2build.images.alpha import on_colours
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field, rule

_WARMTH: Final = (0.3, 0.05, -0.3)
"""How much more of red, green and blue the warmest setting gives."""

_LUMA: Final = (0.2126, 0.7152, 0.0722)


class Adjust(Op):
    """Change tones and colours: temperature, brightness, contrast, gamma, saturation, in turn."""

    name = "adjust"
    synonyms = ("brightness", "contrast", "gamma", "grayscale", "greyscale", "saturation")
    keeps_cells = True

    brightness: float = Field(default=1, ge=0, le=4, description="factor; 1 changes nothing")
    contrast: float = Field(
        default=1, ge=0, le=4, description="factor around middle grey; 1 changes nothing"
    )
    saturation: float = Field(
        default=1, ge=0, le=4, description="factor; 0 is grey, 1 changes nothing"
    )
    gamma: float = Field(
        default=1, ge=0.1, le=10, description="above 1 lightens the middle, below 1 darkens it"
    )
    temperature: float = Field(
        default=0, ge=-100, le=100, description="-100 is coldest, 100 warmest, 0 changes nothing"
    )

    @rule
    def _changes(self) -> None:
        if not self.model_fields_set:
            names = ", ".join(f"`{field}`" for field in type(self).model_fields)
            raise ValueError(f"give at least one of {names}")

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The picture in other tones; alpha stays as it is."""
        curves = [level for gain in _WARMTH for level in self._curve(gain)]
        return on_colours(image, lambda colours: self._saturated(colours.point(curves)))

    def _curve(self, gain: float) -> list[int]:
        """What each of the 256 levels of one channel becomes."""
        factor = (1 + gain * self.temperature / 100) * self.brightness
        levels = ((level / 255 * factor - 0.5) * self.contrast + 0.5 for level in range(256))
        return [round(255 * min(1.0, max(0.0, level)) ** (1 / self.gamma)) for level in levels]

    def _saturated(self, colours: Image.Image) -> Image.Image:
        if self.saturation == 1:
            return colours
        grey, keep = 1 - self.saturation, self.saturation
        rows = [
            (*(weight * grey + keep * (row == column) for column, weight in enumerate(_LUMA)), 0)
            for row in range(3)
        ]
        return colours.convert("RGB", tuple(cell for row in rows for cell in row))


OP: Final[type[Op]] = Adjust
