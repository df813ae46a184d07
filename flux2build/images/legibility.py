"""How well letters stand out from what lies under them, by the contrast ratio of WCAG 2.2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from PIL import Image, ImageChops

from flux2build.images.colour.notation import rgba
from flux2build.images.colour.srgb import Rgb
from flux2build.images.colour.vision import Vision, contrast
from flux2build.images.ops.contract import Letters

_INSIDE: Final = 128
"""The coverage, of 255, from which a pixel counts as one of a letter; edges are mixed colours."""
_COARSE: Final = 0xFC
"""Levels of a channel that count as one: few enough colours to look at each of them."""


def ratios(
    letters: Letters, visions: Sequence[Vision], share: float, page: str | None
) -> Mapping[Vision, float]:
    """The contrast ratio that a `share` of the letters' pixels reaches, as people see it.

    Transparent pixels count in front of the colour of a `page`, and not at all without one. The
    result is empty if no pixel counts.
    """
    counts = list(_colours(letters, page))
    if not counts:
        return {}
    ink = rgba(letters.color)
    return {
        vision: _reached(
            [(contrast(_over(ink, ground), ground, vision), count) for count, ground in counts],
            share,
        )
        for vision in visions
    }


def _reached(pixels: Sequence[tuple[float, int]], share: float) -> float:
    """The ratio that a share of the pixels has at least, of (ratio, number of pixels)."""
    ordered = sorted(pixels, reverse=True)
    enough = share * sum(count for _, count in ordered)
    so_far = accumulate(count for _, count in ordered)
    return next(
        (ratio for (ratio, _), count in zip(ordered, so_far, strict=True) if count >= enough)
    )


def _colours(letters: Letters, page: str | None) -> Iterator[tuple[int, Rgb]]:
    """The colours under the letters, each with its number of pixels."""
    inside = letters.mask.point(lambda level: 255 if level >= _INSIDE else 0)
    area = inside.getbbox()
    if area is None:
        return
    inside, ground = inside.crop(area), letters.ground.crop(area)
    if page is not None:
        below = Image.new("RGBA", ground.size, page[:7])
        below.alpha_composite(ground)
        ground = below
    opaque = ground.getchannel("A").point(lambda level: 255 if level == 255 else 0)
    coarse = ground.convert("RGB").point(lambda level: (level & _COARSE) | level >> 6)
    coarse.putalpha(ImageChops.multiply(inside, opaque))
    for count, colour in coarse.getcolors(coarse.width * coarse.height) or ():
        if isinstance(colour, tuple) and colour[3]:
            yield count, (colour[0], colour[1], colour[2])


def _over(ink: tuple[int, int, int, int], ground: Rgb) -> Rgb:
    """A colour, which may be translucent, in front of another one."""
    red, green, blue = (
        round((front * ink[3] + behind * (255 - ink[3])) / 255)
        for front, behind in zip(ink[:3], ground, strict=True)
    )
    return red, green, blue
