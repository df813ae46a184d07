"""Shapes in words, such as `16:9` at `2k`, as a width and a height in pixels."""

from __future__ import annotations

import math
import re
from typing import Final

_RATIO: Final = r"(\d{1,4}(?:\.\d{1,4})?)[:/x](\d{1,4}(?:\.\d{1,4})?)"
_CLASS: Final = r"(\d{1,4}(?:\.\d{1,4})?)(k|sq|)"
_UNSHAPED: Final = frozenset({"auto", "match_input_image"})
_STEP: Final = 16
"""Sides are multiples of this many pixels, as for most models."""
_KILO: Final = 1024
_LARGEST: Final = 8192


def area_of(resolution: str) -> int | None:
    """The pixels of a size class: `2k` and `768sq` are sides, `0.5` is megapixels; None if neither."""
    match = re.fullmatch(_CLASS, resolution)
    if match is None:
        return None
    number, unit = float(match[1]), match[2]
    side = {"k": number * _KILO, "sq": number, "": math.sqrt(number) * _KILO}[unit]
    return round(side * side) if 1 <= side <= _LARGEST else None


def ratio_of(aspect_ratio: str) -> float | None:
    """Width by height of a shape; 1 if the model chooses, None if the word is not a shape."""
    if aspect_ratio in _UNSHAPED:
        return 1
    match = re.fullmatch(_RATIO, aspect_ratio)
    ratio = float(match[1]) / float(match[2]) if match and float(match[2]) else 0
    return ratio if 1 / 16 <= ratio <= 16 else None


def sides(area: int, ratio: float) -> tuple[int, int]:
    """The width and the height of a shape with about this many pixels."""
    width = math.sqrt(area * ratio)
    return _rounded(width), _rounded(width / ratio)


def _rounded(side: float) -> int:
    return min(_LARGEST, max(_STEP, round(side / _STEP) * _STEP))
