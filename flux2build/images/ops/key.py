"""`key`: make one colour transparent, such as the green behind a figure."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from functools import reduce
from typing import Any, Final, cast

from PIL import Image, ImageChops, ImageFilter, ImageMath

from flux2build.errors import SpecError
from flux2build.images.alpha import faded
from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.ops.contract import Inputs, Op
from flux2build.tables.table import Field

_GREYISH: Final = 0.25
"""Key colours below this saturation have no hue to tell them by; their lightness does."""

_GONE, _WHOLE = 13, 243
"""A pixel of less opacity looks transparent; one of at least this opacity looks solid."""

_RIM: Final = 2
"""Width in pixels of the edge that the key may have coloured: JPEG spreads colours so far."""


class ChromaKey(Op):
    """Chroma key: turn a background of one colour into transparency."""

    name = "key"
    version = 2
    synonyms = ("chroma", "chromakey", "remove_background")
    keeps_cells = True
    key_colour = "color"

    color: Colour = Field(default="#00ff00", description="colour that becomes transparent")
    tolerance: float = Field(
        default=0.2, ge=0, le=1, description="distance from the colour that is fully transparent"
    )
    softness: float = Field(
        default=0.4, ge=0, le=1, description="further distance over which opacity grows"
    )
    spill: float = Field(
        default=1,
        ge=0,
        le=1,
        description="how much of the colour is taken out of edges and of what reflects it",
    )
    residue: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="refuse the picture when nothing in it has the colour, or more than this "
        "share is neither gone nor whole; edges alone are some 0.02",
    )

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The picture without that colour; what is transparent already stays so."""
        key = rgba(self.color)[:3]
        colours = image.convert("RGB")
        mask = self._opacity(colours, key)
        if self.residue is not None:
            self._refuse_residue(mask, self.residue)
        clean = self._unmixed(colours, key, mask)
        # Strong channels make the key's colour.
        strong, weak = ([n for n in range(3) if (key[n] > 128) is high] for high in (True, False))
        if strong and weak:
            clean = self._edged(self._without_spill(clean, strong, weak), mask, strong, weak)
        clean = Image.blend(colours, clean, self.spill)
        if image.mode == "RGBA":
            clean.putalpha(image.getchannel("A"))
        return faded(clean, mask)

    @staticmethod
    def _refuse_residue(mask: Image.Image, most: float) -> None:
        levels, total = mask.histogram(), mask.width * mask.height
        residue = sum(levels[_GONE:_WHOLE]) / total
        if sum(levels[:_GONE]) and residue <= most:
            return
        message = f"{residue:.1%} of the picture is neither of the colour nor free of it"
        if not sum(levels[:_GONE]):
            message = "nothing in the picture has the colour"
        hint = "make the picture again on a flat background, or set another `color` or `tolerance`"
        raise SpecError(message, hint=hint)

    def _opacity(self, colours: Image.Image, key: tuple[int, ...]) -> Image.Image:
        """0 within the tolerance, 255 beyond the softness, growing evenly in between."""
        grey = colorsys.rgb_to_hsv(*(channel / 255 for channel in key))[1] < _GREYISH
        space = "RGB" if grey else "YCbCr"
        plain = Image.new("RGB", colours.size, key).convert(space)
        apart = ImageChops.difference(colours.convert(space), plain).split()
        first, last = (0, 3) if grey else (1, 3)
        # The length of the longest difference that can occur, so that 1 is the far end.
        reach = 255 * (3**0.5 if grey else 2**0.5 / 2)
        steep = 255 / max(self.softness * reach, 1)

        def opacity(images: dict[str, Any]) -> Any:
            squares = sum(images["float"](images[f"d{n}"]) ** 2 for n in range(first, last))
            level = (squares**0.5 - self.tolerance * reach) * steep
            bounded = images["min"](images["max"](level, 0), 255)
            return images["convert"](bounded, "L")

        channels = {f"d{n}": channel for n, channel in enumerate(apart)}
        return cast("Image.Image", ImageMath.lambda_eval(opacity, **channels))

    @staticmethod
    def _unmixed(colours: Image.Image, key: tuple[int, ...], mask: Image.Image) -> Image.Image:
        """The colours before they were mixed with the key at half-transparent edges."""

        def foreground(images: dict[str, Any]) -> Any:
            mixed = images["float"](images["channel"]) - images["key"]
            level = mixed * 255 / images["max"](images["float"](images["mask"]), 1) + images["key"]
            return images["convert"](images["min"](images["max"](level, 0), 255), "L")

        channels = [
            ImageMath.lambda_eval(foreground, channel=channel, mask=mask, key=level)
            for channel, level in zip(colours.split(), key, strict=True)
        ]
        return Image.merge("RGB", cast("list[Image.Image]", channels))

    @staticmethod
    def _edged(
        colours: Image.Image, mask: Image.Image, strong: Sequence[int], weak: Sequence[int]
    ) -> Image.Image:
        """Limits the key at edges to what the figure beside them has of it, or to grey."""
        whole = mask.point(lambda level: 255 if level >= _WHOLE else 0)
        inside = whole.filter(ImageFilter.MinFilter(2 * _RIM + 1))
        figure = colours.copy()
        figure.putalpha(inside)
        beside = figure.convert("RGBa").filter(ImageFilter.GaussianBlur(_RIM)).convert("RGBA")
        near = beside.getchannel("A").point(lambda level: min(255, level * 16))
        edge = ImageChops.multiply(near, ImageChops.invert(inside))
        channels, figures = list(colours.split()), beside.split()
        grey = reduce(ImageChops.darker, [channels[n] for n in weak])
        for n in strong:
            limited = ImageChops.darker(channels[n], ImageChops.lighter(figures[n], grey))
            channels[n] = Image.composite(limited, channels[n], edge)
        return Image.merge("RGB", channels)

    @staticmethod
    def _without_spill(
        colours: Image.Image, strong: Sequence[int], weak: Sequence[int]
    ) -> Image.Image:
        """Limits the channels in which the key is strong to the largest of the others."""
        channels = list(colours.split())
        limit = reduce(ImageChops.lighter, [channels[n] for n in weak])
        for n in strong:
            channels[n] = ImageChops.darker(channels[n], limit)
        return Image.merge("RGB", channels)


OP: Final[type[Op]] = ChromaKey
