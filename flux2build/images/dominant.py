"""The dominant colours of a picture: found in its pixels when a file is made, then kept as text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from PIL import Image

from flux2build.errors import Flux2BuildError
from flux2build.images.colour.difference import lab
from flux2build.images.decode import decode

CLEAR: Final = "clear"
"""Stands for a colour where nothing is visible."""

_WRITTEN: Final = re.compile(r"(\d{1,3})% (#[0-9a-f]{6}|clear)")
_SIDE: Final = 96
"""Pixels of the longer side of the copy that is counted; more would only count more grain."""
_MOST: Final = 8
_BINS: Final = 128
"""Most frequent colours that are compared; rarer ones are not dominant."""
_ALIKE: Final = 10.0
"""Colours at most this far apart in CIELAB count as one; exact differences would take longer."""
_VISIBLE: Final = 26
"""Least alpha, of 255, of a pixel that is visible."""
_NOTHING: Final = -1
"""The bin of pixels that are not visible."""


@dataclass(frozen=True, slots=True)
class DominantColour:
    """One of a picture's dominant colours, and its share of the picture in percent."""

    share: int
    colour: str
    """`#rrggbb`, or `clear`."""

    def __str__(self) -> str:
        return f"{self.share}% {self.colour}"


def written(colours: Iterable[DominantColour]) -> str:
    """Dominant colours as the lock holds them: `62% #fbf3e4, 12% #1f4e46`."""
    return ", ".join(map(str, colours))


def read(text: str) -> tuple[DominantColour, ...]:
    """The dominant colours in a text; anything else in it is skipped."""
    pairs = _WRITTEN.findall(text)
    return tuple([DominantColour(int(share), colour) for share, colour in pairs])


def dominant_colours(data: bytes) -> tuple[DominantColour, ...]:
    """The dominant colours of a picture's file, largest first; empty if it cannot be decoded."""
    try:
        image = decode(data, "the picture")
    except Flux2BuildError:
        return ()
    factor = -(-max(image.size) // _SIDE)
    counts = _counted(image.reduce(factor) if factor > 1 else image)
    whole = sum(count for count, _ in counts)
    shares = ((round(100 * count / whole), colour) for count, colour in _merged(counts[:_BINS]))
    return tuple([DominantColour(share, colour) for share, colour in shares if share][:_MOST])


def _counted(image: Image.Image) -> list[tuple[int, str]]:
    """The number of pixels of each colour, to 4 bits a channel, the most frequent first."""
    image = image.convert("RGBA")
    bins: dict[int, list[int]] = {}
    for count, pixel in image.getcolors(image.width * image.height) or ():
        assert isinstance(pixel, tuple)  # RGBA: a pixel is four numbers
        # Written out, because it keeps other threads waiting: up to nine thousand turns a file.
        red, green, blue, alpha = pixel
        key = (red >> 4 << 8) + (green >> 4 << 4) + (blue >> 4) if alpha >= _VISIBLE else _NOTHING
        if (sums := bins.get(key)) is None:
            bins[key] = [count, count * red, count * green, count * blue]
        else:
            sums[0] += count
            sums[1] += count * red
            sums[2] += count * green
            sums[3] += count * blue
    named = ((sums[0], _name(key, sums)) for key, sums in bins.items())
    return sorted(named, key=lambda pair: (-pair[0], pair[1]))


def _name(key: int, sums: Iterable[int]) -> str:
    if key == _NOTHING:
        return CLEAR
    count, *channels = sums
    return "#" + "".join(f"{round(channel / count):02x}" for channel in channels)


def _merged(counts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Counts colours that look alike together, under the name of the most frequent one."""
    groups: dict[str, int] = {}
    for count, colour in counts:
        near = next((known for known in groups if _alike(known, colour)), colour)
        groups[near] = groups.get(near, 0) + count
    return sorted(((count, name) for name, count in groups.items()), key=lambda p: (-p[0], p[1]))


def _alike(one: str, other: str) -> bool:
    if CLEAR in {one, other}:
        return one == other
    return math.dist(lab(one), lab(other)) <= _ALIKE
