"""A look at the pixels of a file, once, when it is made: its main colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from PIL import Image

from flux2build.errors import Flux2BuildError
from flux2build.images.colour.difference import CLEAR, Tone, lab
from flux2build.images.decode import decode

_SIDE: Final = 96
"""Pixels of the longer side of what is looked at; more only finds more grain."""
_MOST: Final = 8
_BINS: Final = 128
"""Colours that are told apart; rarer ones are none of the main ones."""
_ALIKE: Final = 10.0
"""Colours at most this far apart in CIELAB count as one; exact differences would take longer."""
_SEEN: Final = 26
"""An alpha below this, of 255, is not seen."""
_NOTHING: Final = -1
"""The bin of what is not seen."""


def tones(data: bytes) -> tuple[Tone, ...]:
    """The main colours of a picture's file, the largest first; none where it cannot be decoded."""
    try:
        image = decode(data, "the picture")
    except Flux2BuildError:
        return ()
    counts = _counted(_small(image))
    whole = sum(count for count, _ in counts)
    shares = ((round(100 * count / whole), colour) for count, colour in _merged(counts[:_BINS]))
    return tuple([Tone(share, colour) for share, colour in shares if share][:_MOST])


def _small(image: Image.Image) -> Image.Image:
    """The picture in a few thousand pixels, each the mean of its block."""
    factor = -(-max(image.size) // _SIDE)
    return image.reduce(factor) if factor > 1 else image


def _counted(image: Image.Image) -> list[tuple[int, str]]:
    """How many pixels there are of each colour, to 4 bits a channel, the most frequent first."""
    seen = image.convert("RGBA")
    bins: dict[int, list[int]] = {}
    for count, pixel in seen.getcolors(seen.width * seen.height) or ():
        assert isinstance(pixel, tuple)  # RGBA: a pixel is four numbers
        # Written out, for it holds up the other threads: up to nine thousand turns a file.
        red, green, blue, alpha = pixel
        key = (red >> 4 << 8) + (green >> 4 << 4) + (blue >> 4) if alpha >= _SEEN else _NOTHING
        if (found := bins.get(key)) is None:
            bins[key] = [count, count * red, count * green, count * blue]
        else:
            found[0] += count
            found[1] += count * red
            found[2] += count * green
            found[3] += count * blue
    named = ((sums[0], _name(key, sums)) for key, sums in bins.items())
    return sorted(named, key=lambda pair: (-pair[0], pair[1]))


def _name(key: int, sums: Iterable[int]) -> str:
    if key == _NOTHING:
        return CLEAR
    count, *channels = sums
    return "#" + "".join(f"{round(channel / count):02x}" for channel in channels)


def _merged(counts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Colours that look alike counted together, under the name of the most frequent one."""
    groups: dict[str, int] = {}
    for count, colour in counts:
        near = next(_near(colour, groups), colour)
        groups[near] = groups.get(near, 0) + count
    return sorted(((count, name) for name, count in groups.items()), key=lambda p: (-p[0], p[1]))


def _near(colour: str, groups: Iterable[str]) -> Iterator[str]:
    for known in groups:
        if known == colour or (
            CLEAR not in {known, colour} and math.dist(lab(known), lab(colour)) <= _ALIKE
        ):
            yield known
