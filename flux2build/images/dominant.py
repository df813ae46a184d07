"""The dominant colours of a picture: found in its pixels when a file is made, then kept as text."""

from __future__ import annotations

import math
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from flux2build.errors import Flux2BuildError
from flux2build.images.colour.difference import Lab, lab

if TYPE_CHECKING:
    from PIL import Image


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
_COARSE: Final = 3 * [level & 0xF0 for level in range(256)]
_PIXELS_PER_COLOUR: Final = 3
"""With fewer pixels per colour, it is faster to look at each pixel."""
_NOTHING: Final = 0
"""The bin of pixels that are not visible; the others have a fourth byte, which is 255."""
_PLACES: Final = (0, 3, 6)
"""Where red, green and blue begin in the eight bytes of a number."""
_SUM: Final = 0xFFFFFF
"""Three bytes hold the sum of a channel over all pixels."""


class DominantColour(Struct, frozen=True):
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


def first(text: str) -> DominantColour | None:
    """The first of the dominant colours in a text."""
    pair = _WRITTEN.search(text)
    return DominantColour(int(pair[1]), pair[2]) if pair else None


def dominant_colours(data: bytes) -> tuple[DominantColour, ...]:
    """The dominant colours of a picture's file, largest first; empty if it cannot be decoded."""
    from flux2build.images.decode import decoded

    try:
        return counted(decoded(data, "the picture"))
    except Flux2BuildError:
        return ()


def counted(image: Image.Image) -> tuple[DominantColour, ...]:
    """The dominant colours of pixels, which are RGB or RGBA, largest first."""
    factor = -(-max(image.size) // _SIDE)
    small = image.reduce(factor) if factor > 1 else image
    whole, groups = small.width * small.height, _merged(frequent(small))
    shares = ((round(100 * count / whole), colour) for count, colour in groups)
    return tuple([DominantColour(share, colour) for share, colour in shares if share][:_MOST])


def frequent(image: Image.Image) -> list[tuple[int, str]]:
    """The most frequent colours, to 4 bits a channel, with their numbers of pixels.

    Other threads wait as briefly as possible: Python does no more than one addition for each of up to
    nine thousand pixels, and in a drawing, which has few colours, for each colour.
    """
    counts, sums = _drawn(image) or _grained(image)
    least = sorted(counts.values(), reverse=True)[:_BINS][-1]
    named = [(n, _name(key, n, sums[key])) for key, n in counts.items() if n >= least]
    return sorted(named, key=lambda pair: (-pair[0], pair[1]))[:_BINS]


def _drawn(image: Image.Image) -> tuple[Mapping[int, int], Mapping[int, int]] | None:
    """Pixels in each bin, and the sums of their channels; None where too many colours differ."""
    colours = image.getcolors(image.width * image.height // _PIXELS_PER_COLOUR)
    if colours is None:
        return None
    counts: defaultdict[int, int] = defaultdict(int)
    sums = counts.copy()
    for n, (red, green, blue, *alpha) in colours:  # type: ignore[misc]  # no mode has floats here
        visible = not alpha or alpha[0] >= _VISIBLE
        key = 0xFF000000 | (blue << 16 | green << 8 | red) & 0xF0F0F0 if visible else _NOTHING
        counts[key] += n
        sums[key] += n * (blue << 48 | green << 24 | red)
    return counts, sums


def _grained(image: Image.Image) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """The same, counted pixel by pixel."""
    keys = _keys(image)
    counts = Counter(keys)
    sums = dict.fromkeys(counts, 0)
    for key, channels in zip(keys, _channels(image), strict=True):
        sums[key] += channels
    return counts, sums


def _keys(image: Image.Image) -> Sequence[int]:
    """The bin of each pixel."""
    coarse = image.convert("RGB").point(_COARSE).convert("RGBX")
    if image.mode == "RGBA":
        unseen = image.getchannel("A").point([255 * (alpha < _VISIBLE) for alpha in range(256)])
        coarse.paste((0, 0, 0, _NOTHING), mask=unseen)
    return struct.unpack(f"<{image.width * image.height}I", coarse.tobytes())


def _channels(image: Image.Image) -> Sequence[int]:
    """The channels of each pixel, far enough apart in one number to be added up together."""
    data, pixels = image.convert("RGB").tobytes(), image.width * image.height
    spread = bytearray(8 * pixels)
    for channel, at in enumerate(_PLACES):
        spread[at::8] = data[channel::3]
    return struct.unpack(f"<{pixels}Q", spread)


def _name(key: int, count: int, channels: int) -> str:
    if key == _NOTHING:
        return CLEAR
    sums = (channels & _SUM, channels >> 24 & _SUM, channels >> 48)
    return "#" + "".join(f"{round(channel / count):02x}" for channel in sums)


def _merged(counts: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Counts colours that look alike together, under the name of the most frequent one."""
    groups: list[_Group] = []
    for count, colour in counts:
        place = None if colour == CLEAR else lab(colour)
        for group in groups:
            if group.holds(place):
                group.count += count
                break
        else:
            groups.append(_Group(colour, place, count))
    return sorted(((each.count, each.colour) for each in groups), key=lambda p: (-p[0], p[1]))


class _Group(Struct):
    """Colours that look alike: the most frequent one, its place in CIELAB, and their pixels."""

    colour: str
    place: Lab | None
    """None where nothing is visible."""
    count: int

    def holds(self, place: Lab | None) -> bool:
        """Whether a colour looks like this one."""
        if self.place is None or place is None:
            return self.place is place
        return math.dist(self.place, place) <= _ALIKE
