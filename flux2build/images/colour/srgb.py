"""Colours as screens have them: red, green and blue, their hex notation, light and contrast."""

from __future__ import annotations

import re
from typing import Final

Rgb = tuple[int, int, int]
"""Red, green and blue, each 0 to 255."""

_HEX: Final = re.compile(r"(?<![\w&])#([0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})(?![\w-])")


def from_hex(text: str) -> Rgb:
    """`#0A84FF`, `#08f` or either with an alpha, which is ignored."""
    digits = text.removeprefix("#")
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def hexes(text: str, limit: int = 8) -> tuple[Rgb, ...]:
    """The colours written in a text, each once, in order of appearance."""
    colours = dict.fromkeys(from_hex(match[1]) for match in _HEX.finditer(text))
    return tuple(colours)[:limit]


def contrast(one: Rgb, other: Rgb) -> float:
    """The WCAG contrast ratio, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Rgb) -> float:
    """The relative luminance that WCAG defines: 0 for black, 1 for white."""
    red, green, blue = (linear(part) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(channel: int) -> float:
    """A channel of sRGB as an amount of light, from 0 to 1."""
    unit = channel / 255
    return unit / 12.92 if unit <= 0.04045 else float(((unit + 0.055) / 1.055) ** 2.4)
