"""Shaping: stretches of a paragraph become glyphs in their places, measured in sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Final

import uharfbuzz as hb

from flux2build.images.lettering import bidi, breaks, faces, scripts
from flux2build.images.lettering.breaks import SOFT_HYPHEN, Breaks
from flux2build.images.lettering.faces import Face

_HYPHEN: Final = "-"
_WIDE_BLANK: Final = 1.0
"""No space is wider, in sizes."""
_APART: Final = {"liga": False, "clig": False, "dlig": False}
"""Letters that are set apart form no ligatures."""


@dataclass(frozen=True, slots=True)
class Style:
    """What letters are set with."""

    faces: tuple[Face, ...]
    language: str = ""
    leftward: bool | None = None
    """Which way paragraphs run; None leaves it to the first letter of each."""
    tracking: float = 0
    """Added after each letter, in sizes; not where letters join."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a shape covers; `y` grows upwards from the base line."""

    left: float
    bottom: float
    right: float
    top: float

    def joined(self, other: Extent) -> Extent:
        """What both cover."""
        return Extent(
            min(self.left, other.left),
            min(self.bottom, other.bottom),
            max(self.right, other.right),
            max(self.top, other.top),
        )


@dataclass(frozen=True, slots=True)
class Glyph:
    """A shape of a font, and where its origin is."""

    face: Face
    number: int
    x: float
    y: float

    @property
    def extent(self) -> Extent | None:
        """What its ink covers; None for a blank."""
        found = self.face.font.get_glyph_extents(self.number)
        if found is None or not found.width or not found.height:
            return None
        grid, left, top = self.face.grid, found.x_bearing, found.y_bearing
        return Extent(
            self.x + left / grid,
            self.y + (top + found.height) / grid,
            self.x + (left + found.width) / grid,
            self.y + top / grid,
        )


@dataclass(frozen=True)
class Line:
    """Glyphs from left to right."""

    glyphs: tuple[Glyph, ...]
    advance: float
    """From its start to where another line would go on."""

    @cached_property
    def ink(self) -> Extent | None:
        """What is seen of it; None when nothing is."""
        ink = None
        for glyph in self.glyphs:
            if extent := glyph.extent:
                ink = ink.joined(extent) if ink else extent
        return ink

    @cached_property
    def breadth(self) -> float:
        """The room it takes: some letters lean out of their own."""
        return max(self.advance, self.ink.right - self.ink.left if self.ink else 0)

    @cached_property
    def cap(self) -> float:
        """Height of the capitals of its fonts."""
        return max((glyph.face.cap for glyph in self.glyphs), default=0)


@dataclass
class Paragraph:
    """A text without line ends, shaped as it is asked for."""

    text: str
    style: Style
    _lines: dict[tuple[int, int], Line] = field(default_factory=dict, repr=False)

    @cached_property
    def base(self) -> int:
        """1 when it runs from right to left, else 0."""
        said = self.style.leftward
        return bidi.base_level(self.text) if said is None else int(said)

    @cached_property
    def breaks(self) -> Breaks:
        """Where it may be broken."""
        return breaks.find(self.text, self.style.language)

    @cached_property
    def tall(self) -> bool:
        """Whether its lines need more room between them."""
        return scripts.tall(self.text)

    @cached_property
    def usual(self) -> float:
        """What a character takes on the whole, in sizes."""
        return self.line(0, len(self.text)).advance / max(1, len(self.text))

    @cached_property
    def letters(self) -> float:
        """The width of all that is no blank, in sizes."""
        blanks = sum(char.isspace() for char in self.text) * _WIDE_BLANK
        return max(0.0, self.line(0, len(self.text)).advance - blanks)

    @cached_property
    def _kinds(self) -> list[tuple[int, int, str]]:
        """Level, font and script of every character: what a run has one of."""
        levels = bidi.levels(self.text, self.base)
        chosen = faces.choose(self.text, self.style.faces)
        return list(zip(levels, chosen, _scripts(self.text), strict=True))

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
        kept = slice(blank, len(text.rstrip(" ")))
        return _joined(list(self._runs(text[kept], kinds[kept])), self.style.tracking)

    def _runs(self, text: str, kinds: Sequence[tuple[int, int, str]]) -> Iterator[_Run]:
        codes = [ord(char) for char in text]
        for (level, number, _), group in groupby(range(len(text)), key=lambda at: kinds[at]):
            places = list(group)
            apart = 0.0 if scripts.joined(text[places[0] : places[-1] + 1]) else self.style.tracking
            yield _run(codes, places, self.style.faces[number], level, apart, self.style.language)


def _scripts(text: str) -> list[str]:
    """The script of every character; what has none goes with what stands before it."""
    found: list[str] = []
    last = next((name for char in text if (name := scripts.script(char))), "")
    for char in text:
        last = scripts.script(char) or last
        found.append(last)
    return found


@dataclass(frozen=True, slots=True)
class _Run:
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
    """Runs in the order in which they are seen, without the space after the last letter."""
    glyphs: list[Glyph] = []
    pen = 0.0
    ordered = bidi.visual(runs, lambda run: run.level)
    for run in ordered:
        glyphs += (Glyph(g.face, g.number, g.x + pen, g.y) for g in run.glyphs)
        pen += run.advance
    if ordered and ordered[-1].apart:
        pen -= tracking
    return Line(tuple(glyphs), pen)
