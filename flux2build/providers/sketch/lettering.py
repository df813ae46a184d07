"""Type: measuring, wrapping and drawing text in the font embedded in Pillow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Point
from flux2build.providers.sketch.words import GREEK

LEADING: Final = 1.32
"""Height of a line, in sizes."""

_DOTS: Final = "…"
_BAR: Final = 0.52
"""Width of a letter that is drawn as a bar, in sizes."""
_GREEKED: Final = 4
"""Letters in one bar: about a word."""
_PIECE: Final = re.compile(rf"{GREEK}{{1,7}}|[^{GREEK}\s]+|\s+")


@lru_cache(maxsize=64)
def face(size: int) -> ImageFont.FreeTypeFont:
    """The font at a size, laid out by Pillow alone so that every machine agrees."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType")
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


def measure(text: str, size: int, spacing: float = 0) -> float:
    """Return the width of a line; `spacing` is added after each letter."""
    return sum(_width(run, size) for run in _runs(text)) + spacing * len(text)


def wrap(text: str, size: int, width: float, lines: int) -> list[str]:
    """Wrap a text into a limited number of lines; the rest becomes `…`."""
    done: list[str] = []
    line = ""
    for piece in _pieces(text, size, width):
        if line and measure(line + piece.rstrip(), size) > width:
            done.append(line.rstrip())
            line = ""
            if len(done) == lines:
                done[-1] = elide(done[-1] + " " + _DOTS, size, width)
                return done
        line += piece if line else piece.lstrip()
    return [*done, line.rstrip()] if line.strip() else done


def _pieces(text: str, size: int, width: float) -> Iterator[str]:
    """The units of line breaking: words, and the letters of words too long for a line."""
    for piece in _PIECE.findall(text):
        if measure(piece, size) <= width:
            yield piece
        else:
            yield from piece


def elide(text: str, size: int, width: float) -> str:
    """Shorten a text to a width, and mark with `…` where it was cut."""
    if measure(text, size) <= width:
        return text
    kept = text.removesuffix(_DOTS)
    while kept and measure(kept + _DOTS, size) > width:
        kept = kept[:-1].rstrip()
    return kept + _DOTS if kept else ""


@dataclass(frozen=True, slots=True)
class Type:
    """How a line is set; `spacing` is added after each letter."""

    size: int
    paint: Rgb
    spacing: float = 0


def write(image: Image.Image, at: Point, text: str, kind: Type) -> None:
    """Draw one line; `at` is its top left corner."""
    size, paint, spacing = kind.size, kind.paint, kind.spacing
    pen = ImageDraw.Draw(image)
    x, y = at
    for run in _runs(text):
        if run[0] == GREEK:
            for left in range(0, len(run), _GREEKED):
                wide = _width(run[left : left + _GREEKED], size)
                start = x + left * size * _BAR
                bar = (start + 1, y + size * 0.45, start + wide - size * 0.18, y + size * 0.82)
                pen.rounded_rectangle(bar, size * 0.16, fill=paint)
            x += _width(run, size)
            continue
        for part in run if spacing else [run]:
            pen.text((round(x), round(y)), part, fill=paint, font=face(size))
            x += _width(part, size) + spacing


def _runs(text: str) -> list[str]:
    """Split a text where letters turn into bars and back."""
    return ["".join(run) for _, run in groupby(text, key=lambda letter: letter == GREEK)]


def _width(run: str, size: int) -> float:
    if run[0] == GREEK:
        return len(run) * size * _BAR
    return face(size).getlength(run)
