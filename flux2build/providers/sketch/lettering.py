"""Type: measuring, wrapping and drawing text in the font embedded in Pillow.

Letters that the font lacks are set in the fonts of the operation `text`, or drawn as bars.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

from flux2build.images import lettering
from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Point
from flux2build.providers.sketch.words import COMPLEX, GREEK, SIMPLE, has

if TYPE_CHECKING:
    from flux2build.images.lettering.shaping import Line

LEADING: Final = 1.32
"""Height of a line, in sizes."""

_DOTS: Final = "…"
_BAR: Final = 0.52
"""Width of a letter that is drawn as a bar, in sizes."""
_GREEKED: Final = 4
"""Letters in one bar: about a word."""
_PIECE: Final = re.compile(rf"{GREEK}{{1,7}}|[^{GREEK}\s]+|\s+")
_RUN: Final = rf"(?s){GREEK}+|{SIMPLE}+|(?:(?!{SIMPLE})[^{GREEK}])+"
_BARS: Final = re.compile(f"({GREEK}+)")
_BLANK: Final = re.compile(r"(^\s+|\s+$)")


@lru_cache(maxsize=64)
def face(size: int) -> ImageFont.FreeTypeFont:
    """The font at a size, laid out by Pillow alone so that every machine agrees."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType")
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=64)
def _noto(size: int) -> ImageFont.FreeTypeFont:
    """Noto Sans at a size, for letters that the embedded font lacks."""
    data = BytesIO(lettering.font("NotoSans-Regular"))
    return ImageFont.truetype(data, size, layout_engine=ImageFont.Layout.BASIC)


def measure(text: str, size: int, spacing: float = 0) -> float:
    """Return the width of a line; `spacing` is added after each letter."""
    return sum(_width(run, size) for run in _runs(text)) + spacing * len(text)


def wrap(text: str, size: int, width: float, lines: int) -> list[str]:
    """Wrap a text into a limited number of lines; the rest becomes `…`."""
    wrapped: list[str] = []
    line = ""
    for piece in _pieces(text, size, width):
        if line and measure(line + piece.rstrip(), size) > width:
            wrapped.append(line.rstrip())
            line = ""
            if len(wrapped) == lines:
                wrapped[-1] = elide(wrapped[-1] + " " + _DOTS, size, width)
                return wrapped
        line += piece if line else piece.lstrip()
    return [*wrapped, line.rstrip()] if line.strip() else wrapped


def _pieces(text: str, size: int, width: float) -> Iterator[str]:
    """The units of line breaking: words, and the letters of words too long for a line."""
    for piece in _PIECE.findall(text):
        if measure(piece, size) <= width:
            yield piece
        else:
            yield from _letters(piece)


def _letters(word: str) -> list[str]:
    """Its letters, each with the marks on it."""
    letters: list[str] = []
    for letter in word:
        if letters and unicodedata.category(letter)[0] == "M":
            letters[-1] += letter
        else:
            letters.append(letter)
    return letters


def elide(text: str, size: int, width: float) -> str:
    """Shorten a text to a width, and mark with `…` where it was cut."""
    if measure(text, size) <= width:
        return text
    head = text.removesuffix(_DOTS)
    while head and measure(head + _DOTS, size) > width:
        head = head[:-1].rstrip()
    return head + _DOTS if head else ""


class Type(Struct, frozen=True):
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
        if has(COMPLEX, run):
            from flux2build.providers.sketch.shaped import draw

            draw(image, (round(x), round(y) + _base(size)), _shaped(run), size, paint)
            x += _width(run, size)
            continue
        font, anchor, down = face(size), "la", 0
        if has(SIMPLE, run):
            font, anchor, down = _noto(size), "ls", _base(size)
        for part in run if spacing else [run]:
            pen.text((round(x), round(y) + down), part, fill=paint, font=font, anchor=anchor)
            x += _width(part, size) + spacing


def _base(size: int) -> int:
    """The distance of the base line from the top of a line."""
    return face(size).getmetrics()[0]


def _shaped(run: str) -> Line:
    from flux2build.providers.sketch.shaped import shaped

    return shaped(run)


def _runs(text: str) -> Iterator[str]:
    """Split a text where its letters are set in another way."""
    if text.isascii():
        yield from filter(None, [text])
        return
    for part in _BARS.split(text):
        if has(COMPLEX, part):
            yield from filter(None, _BLANK.split(part))
        else:
            yield from re.findall(_RUN, part)


def _width(run: str, size: int) -> float:
    if run[0] == GREEK:
        return len(run) * size * _BAR
    if has(COMPLEX, run):
        return _shaped(run).advance * size
    return (_noto(size) if has(SIMPLE, run) else face(size)).getlength(run)
