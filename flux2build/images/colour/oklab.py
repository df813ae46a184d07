"""Colours as people see them: tints, shades and mixtures, in OKLab and OKLCH."""

from __future__ import annotations

import math

from flux2build.images.colour.srgb import Rgb, linear


def lightness(colour: Rgb) -> float:
    """How light a colour looks: 0 for black, 1 for white."""
    return _oklab(colour)[0]


def chroma(colour: Rgb) -> float:
    """How colourful: 0 for grey, about 0.3 for the loudest."""
    _, a, b = _oklab(colour)
    return math.hypot(a, b)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`one` with a share of `other`, as the eye would mix them."""
    left, right = _oklab(one), _oklab(other)
    return _rgb(*(a + (b - a) * share for a, b in zip(left, right, strict=True)))


def tone(
    colour: Rgb, light: float | None = None, strong: float | None = None, turn: float = 0
) -> Rgb:
    """The colour at another lightness or chroma, its hue turned by degrees."""
    was_light, a, b = _oklab(colour)
    strength = math.hypot(a, b) if strong is None else strong
    hue = math.atan2(b, a) + math.radians(turn)
    return _fit(was_light if light is None else light, strength, hue)


def lift(colour: Rgb, by: float) -> Rgb:
    """A little lighter, or darker for a negative amount, in the same hue."""
    return tone(colour, light=min(0.99, max(0.04, lightness(colour) + by)))


def _fit(light: float, strength: float, hue: float) -> Rgb:
    """The nearest colour of that lightness and hue that a screen can show."""
    for _ in range(24):
        a, b = strength * math.cos(hue), strength * math.sin(hue)
        if all(-0.0005 <= part <= 1.0005 for part in _linear(light, a, b)):
            break
        strength *= 0.9
    return _rgb(light, strength * math.cos(hue), strength * math.sin(hue))


def _curved(unit: float) -> int:
    unit = min(1.0, max(0.0, unit))
    curved = unit * 12.92 if unit <= 0.0031308 else 1.055 * unit ** (1 / 2.4) - 0.055
    return int(curved * 255 + 0.5)


def _oklab(colour: Rgb) -> tuple[float, float, float]:
    """Björn Ottosson's OKLab: lightness, green to red, blue to yellow."""
    red, green, blue = (linear(part) for part in colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _linear(light: float, a: float, b: float) -> tuple[float, float, float]:
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _rgb(light: float, a: float, b: float) -> Rgb:
    red, green, blue = _linear(light, a, b)
    return _curved(red), _curved(green), _curved(blue)
