"""The ground of a picture in the colour that the operation `key` makes transparent later."""

from __future__ import annotations

from functools import reduce
from typing import Final

from msgspec import Struct
from PIL import Image, ImageChops, ImageDraw

from flux2build.images.colour.srgb import Rgb

_MARGIN: Final = 0.06
"""The width of a frame, as a share of the shorter side."""
_GREYISH: Final = 64
"""A key colour whose channels differ by less is grey; other colours then differ in lightness."""
_REST: Final = 0.3
"""The share of the lightness range, far from a grey key, that a picture on it uses."""


class KeyColour(Struct, frozen=True):
    """A colour that will be made transparent."""

    colour: Rgb
    figures: bool = True
    """Whether a figure may be cut out; else the whole scene is framed, so that no part is empty."""

    def others(self, image: Image.Image) -> Image.Image:
        """The mask of the pixels that do not have the colour."""
        plain = Image.new("RGB", image.size, self.colour)
        apart = reduce(ImageChops.lighter, ImageChops.difference(image, plain).split())
        return apart.point(lambda level: 255 if level else 0)

    def framed(self, image: Image.Image) -> Image.Image:
        """The picture in a frame of the colour."""
        width, height = image.size
        margin = round(min(width, height) * _MARGIN)
        mask = Image.new("L", image.size)
        box = (margin, margin, width - 1 - margin, height - 1 - margin)
        ImageDraw.Draw(mask).rounded_rectangle(box, margin, fill=255)
        plain = Image.new("RGB", image.size, self.colour)
        return Image.composite(self._away(image), plain, mask)

    def kept_apart(self, image: Image.Image) -> Image.Image:
        """The picture with all other colours moved away from the key colour."""
        return Image.composite(self._away(image), image, self.others(image))

    def _away(self, image: Image.Image) -> Image.Image:
        """The picture, with no more of the colour's strong channels than of its weak ones."""
        middle = (min(self.colour) + max(self.colour)) / 2
        channels = list(image.split())
        if max(self.colour) - min(self.colour) < _GREYISH:
            far = 0 if middle >= 128 else 255
            return image.point(lambda level: round(far + (level - far) * _REST))
        weak = [n for n in range(3) if self.colour[n] <= middle]
        limit = reduce(ImageChops.lighter, (channels[n] for n in weak))
        for n in range(3):
            if n not in weak:
                channels[n] = ImageChops.darker(channels[n], limit)
        return Image.merge("RGB", channels)
