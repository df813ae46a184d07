"""Shaping: parts of a paragraph become positioned glyphs, measured in sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, groupby
from typing import Final, NamedTuple

import uharfbuzz as hb
from msgspec import Struct

from flux2build.images.lettering import bidi, breaks, faces, scripts
from flux2build.images.lettering.breaks import SOFT_HYPHEN, Breaks
from flux2build.images.lettering.faces import Face

_HYPHEN: Final = "-"
_WIDE_BLANK: Final = 1.0
"""No space is wider, in sizes."""
_APART: Final = {"liga": False, "clig": False, "dlig": False}
"""Letters that are set apart form no ligatures."""


class Style(Struct, frozen=True):
    """The fonts and settings of a text."""

    faces: tuple[Face, ...]
    language: str = ""
    leftward: bool | None = None
    """Whether paragraphs run to the left; None leaves it to the first letter of each."""
    tracking: float = 0
    """Added after each letter, in sizes; not where letters join."""


class Extent(NamedTuple):
    """The area of a shape; `y` grows upwards from the base line."""

    left: float
    bottom: float
    right: float
    top: float


class Glyph(Struct, frozen=True):
    """A shape of a font, and the position of its origin."""

    face: Face
    number: int
    x: float
    y: float

    @property
    def extent(self) -> Extent | None:
        """The area of its ink; None for a blank."""
        box = self.face.font.get_glyph_extents(self.number)
        if box is None or not box.width or not box.height:
            return None
        grid, left, top = self.face.grid, box.x_bearing, box.y_bearing
        return Extent(
            self.x + left / grid,
            self.y + (top + box.height) / grid,
            self.x + (left + box.width) / grid,
            self.y + top / grid,
        )


class Line(Struct, frozen=True, dict=True):
    """Glyphs from left to right."""

    glyphs: tuple[Glyph, ...]
    advance: float
    """The distance from its start to where text after it would begin."""

    @cached_property
    def ink(self) -> Extent | None:
        """The area of its ink; None when it has none."""
        inks = [extent for glyph in self.glyphs if (extent := glyph.extent)]
        if not inks:
            return None
        lefts, bottoms, rights, tops = zip(*inks, strict=True)
        return Extent(min(lefts), min(bottoms), max(rights), max(tops))

    @cached_property
    def breadth(self) -> float:
        """The width it needs: ink may reach beyond the advance."""
        return max(self.advance, self.ink.right - self.ink.left if self.ink else 0)

    @cached_property
    def cap(self) -> float:
        """Height of the capitals of its fonts."""
        return max((glyph.face.cap for glyph in self.glyphs), default=0)


@dataclass
class Paragraph:
    """A text without line ends; its lines are shaped on demand."""

    text: str
    style: Style
    _lines: dict[tuple[int, int], Line] = field(default_factory=dict, repr=False)

    @cached_property
    def base(self) -> int:
        """1 when it runs from right to left, else 0."""
        leftward = self.style.leftward
        return bidi.base_level(self.text) if leftward is None else int(leftward)

    @cached_property
    def breaks(self) -> Breaks:
        """Where it may be broken."""
        return breaks.find(self.text, self.style.language)

    @cached_property
    def tall(self) -> bool:
        """Whether its lines need more space between them."""
        return scripts.tall(self.text)

    @cached_property
    def average(self) -> float:
        """The average advance of a character, in sizes."""
        return self.line(0, len(self.text)).advance / max(1, len(self.text))

    @cached_property
    def letters(self) -> float:
        """The width of everything but blanks, in sizes."""
        blanks = sum(char.isspace() for char in self.text) * _WIDE_BLANK
        return max(0.0, self.line(0, len(self.text)).advance - blanks)

    @cached_property
    def _kinds(self) -> list[tuple[int, int, str]]:
        """Level, font and script of every character, each of which is the same throughout a run."""
        levels = bidi.levels(self.text, self.base)
        fonts = faces.choose(self.text, self.style.faces)
        return list(zip(levels, fonts, _scripts(self.text), strict=True))

    def line(self, start: int, end: int) -> Line:
        """The characters from `start` to `end` on a line, without the blanks around them."""
        if (start, end) not in self._lines:
            self._lines[start, end] = self._shaped(start, end)
        return self._lines[start, end]

    def _shaped(self, start: int, end: int) -> Line:
        text = self.text[start:end]
        kinds = self._kinds[start:end]
        if text.endswith(SOFT_HYPHEN) and end < len(self.text):
            text = text[:-1] + _HYPHEN
        blank = len(text) - len(text.lstrip(" "))
        inner = slice(blank, len(text.rstrip(" ")))
        return _joined(list(self._runs(text[inner], kinds[inner])), self.style.tracking)

    def _runs(self, text: str, kinds: Sequence[tuple[int, int, str]]) -> Iterator[_Run]:
        codes = [ord(char) for char in text]
        for (level, number, _), group in groupby(range(len(text)), key=lambda at: kinds[at]):
            places = list(group)
            apart = 0.0 if scripts.joined(text[places[0] : places[-1] + 1]) else self.style.tracking
            yield _run(codes, places, self.style.faces[number], level, apart, self.style.language)


def _scripts(text: str) -> list[str]:
    """The script of every character; those without one get that of the character before."""
    names = [scripts.script(char) for char in text]
    first = next(filter(None, names), "")
    return list(accumulate(names, lambda last, name: name or last, initial=first))[1:]


class _Run(Struct, frozen=True):
    """Characters of one font, level and script, shaped."""

    level: int
    glyphs: tuple[Glyph, ...]
    advance: float
    apart: float


def _run(  # noqa: PLR0913, PLR0917 - the six things that a run depends on
    codes: Sequence[int], places: Sequence[int], face: Face, level: int, apart: float, language: str
) -> _Run:
    buffer = hb.Buffer()
    buffer.add_codepoints(list(codes), places[0], len(places))
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if level % 2 else "ltr"
    if language:
        buffer.language = language
    hb.shape(face.font, buffer, _APART if apart else {})
    glyphs: list[Glyph] = []
    pen, grid = 0.0, face.grid
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    for at, (info, position) in enumerate(zip(infos, positions, strict=True)):
        x, y = pen + position.x_offset / grid, position.y_offset / grid
        glyphs.append(Glyph(face, info.codepoint, x, y))
        pen += position.x_advance / grid
        if at + 1 == len(infos) or infos[at + 1].cluster != info.cluster:
            pen += apart
    return _Run(level, tuple(glyphs), pen, apart)


def _joined(runs: Sequence[_Run], tracking: float) -> Line:
    """Runs in visual order, without the tracking after the last letter."""
    glyphs: list[Glyph] = []
    pen = 0.0
    ordered = bidi.visual(runs, lambda run: run.level)
    for run in ordered:
        glyphs += (Glyph(g.face, g.number, g.x + pen, g.y) for g in run.glyphs)
        pen += run.advance
    if ordered and ordered[-1].apart:
        pen -= tracking
    return Line(tuple(glyphs), pen)
