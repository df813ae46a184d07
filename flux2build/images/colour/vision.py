"""Colours as people with a deficiency of colour vision see them.

The model is that of Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation
of Color Vision Deficiency" (IEEE TVCG 15, 2009), at full severity. Its matrices are for linear RGB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from flux2build.images.colour.srgb import Rgb, linear

Vision = Literal["usual", "protan", "deutan", "tritan"]
"""Usual colour vision, or one without the cones for red, green or blue."""

_LINEAR: Final = tuple(map(linear, range(256)))
_Row = tuple[float, float, float]
_MATRICES: Final[Mapping[Vision, tuple[_Row, _Row, _Row]]] = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
_WEIGHTS: Final = (0.2126, 0.7152, 0.0722)
"""The share of each channel in WCAG's relative luminance."""


def luminance(colour: Rgb, vision: Vision) -> float:
    """The relative luminance, from 0 to 1, of a colour, with that colour vision."""
    light = [_LINEAR[channel] for channel in colour]
    channels = (sum(a * b for a, b in zip(row, light, strict=True)) for row in _MATRICES[vision])
    return sum(
        weight * min(max(channel, 0), 1) for weight, channel in zip(_WEIGHTS, channels, strict=True)
    )


def contrast(one: Rgb, other: Rgb, vision: Vision) -> float:
    """The WCAG contrast ratio, from 1 to 21, with that colour vision."""
    low, high = sorted((luminance(one, vision), luminance(other, vision)))
    return (high + 0.05) / (low + 0.05)
