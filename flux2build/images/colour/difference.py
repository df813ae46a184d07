"""How far apart two colours look: CIEDE2000."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from flux2build.images.colour.srgb import from_hex, linear

_WHITE: Final = (0.95047, 1.0, 1.08883)
_FROM_RGB: Final = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)

Lab = tuple[float, float, float]


def difference(one: str, other: str) -> float:
    """CIEDE2000 between two `#rrggbb`: 1 is just visible, 10 is obvious at a glance."""
    return ciede2000(lab(one), lab(other))


@lru_cache(maxsize=4096)
def lab(colour: str) -> Lab:
    """A colour of sRGB in CIELAB, under daylight (D65)."""
    rgb = [linear(channel) for channel in from_hex(colour)]
    x, y, z = (
        _curve(sum(weight * value for weight, value in zip(row, rgb, strict=True)) / white)
        for row, white in zip(_FROM_RGB, _WHITE, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one: Lab, other: Lab) -> float:
    """The formula of Sharma, Wu and Dalal (2005), with their names."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * math.sqrt(mean**7 / (mean**7 + 25**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    c, light = (c1 + c2) / 2, ((l1 + l2) / 2 - 50) ** 2
    t = (
        1
        - 0.17 * _cos(hue - 30)
        + 0.24 * _cos(2 * hue)
        + 0.32 * _cos(3 * hue + 6)
        - 0.20 * _cos(4 * hue - 63)
    )
    lightness = (l2 - l1) / (1 + 0.015 * light / math.sqrt(20 + light))
    chroma = (c2 - c1) / (1 + 0.045 * c)
    shade = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / (1 + 0.015 * c * t)
    blues = 60 * math.exp(-(((hue - 275) / 25) ** 2))
    rotation = -2 * math.sqrt(c**7 / (c**7 + 25**7)) * math.sin(math.radians(blues))
    square = lightness**2 + chroma**2 + shade**2 + rotation * chroma * shade
    return math.sqrt(max(square, 0.0))


def _cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def _curve(value: float) -> float:
    return float(value ** (1 / 3)) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116
