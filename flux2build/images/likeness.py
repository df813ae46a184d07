"""How much two pictures look alike: numbers for people, which decide nothing."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from flux2build.images.colour.difference import ciede2000, lab
from flux2build.images.decode import decode

_SIDE = 32
"""Pixels of the side of the copies that are compared; more would compare noise."""


class Likeness(NamedTuple):
    """How much two pictures look alike."""

    equal: bool
    """Whether every pixel is the same."""
    distance: float
    """The mean colour difference (CIEDE2000) of small copies: 1 is just visible, 10 obvious."""


def likeness(one: bytes, other: bytes) -> Likeness:
    """Compare two pictures; of different sizes, by their small copies alone.

    Raises:
        PictureError: one cannot be decoded.
    """
    first, second = (decode(data, "picture").convert("RGBA") for data in (one, other))
    if first.size == second.size and first.tobytes() == second.tobytes():
        return Likeness(equal=True, distance=0.0)
    pairs = list(zip(_small(first), _small(second), strict=True))
    apart = sum(ciede2000(lab(a), lab(b)) for a, b in pairs if a != b)
    return Likeness(equal=False, distance=apart / len(pairs))


def _small(image: Image.Image) -> list[str]:
    """The colours of a small copy on white."""
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    data = ground.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX).tobytes()
    return [f"#{data[at : at + 3].hex()}" for at in range(0, len(data), 3)]
