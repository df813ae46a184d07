"""Layout: paragraphs broken into lines, at the largest size that fits, placed in a box."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.images.lettering import Wrap
from flux2build.images.lettering.shaping import Line, Paragraph

LEADING: Final = 1.2
TALL_LEADING: Final = 1.45
_HALVINGS: Final = 12
"""Steps of the search for the narrowest lines: exact to a four-thousandth of the width."""
_SLACK: Final = 1e-6
_SPARE: Final = 0.8
"""The least share of its letters' width that a text needs, as kerning and joining save some."""


class Box(Struct, frozen=True):
    """A rectangle in pixels; `y` grows downwards."""

    left: int
    top: int
    width: int
    height: int

    def inset(self, by: int) -> Box:
        """The box without a border on its inside."""
        return Box(self.left + by, self.top + by, self.width - 2 * by, self.height - 2 * by)


class Rules(Struct, frozen=True):
    """How letters may be laid out."""

    largest: int
    smallest: int
    leading: float | None = None
    """Distance of base lines, in sizes; None for what the scripts need."""
    most_lines: int | None = None
    wrap: Wrap = "balance"


class Block(Struct, frozen=True):
    """Lines at a size in pixels; the first base line is at 0."""

    size: int
    lines: tuple[Line, ...]
    pitch: int

    @property
    def width(self) -> float:
        """Width of the widest line, in pixels."""
        return max((line.advance for line in self.lines), default=0) * self.size

    def fits(self, box: Box) -> bool:
        """Whether some base line at a whole pixel keeps all ink inside the box."""
        high, low = self.heights(box)
        breadth = max((line.breadth for line in self.lines), default=0) * self.size
        return high <= low and breadth <= box.width + _SLACK

    def heights(self, box: Box) -> tuple[int, int]:
        """The highest and the lowest position of the first base line, for ink inside the box."""
        inks = [(at * self.pitch, line.ink) for at, line in enumerate(self.lines) if line.ink]
        top = min((at - ink.top * self.size for at, ink in inks), default=0.0)
        bottom = max((at - ink.bottom * self.size for at, ink in inks), default=0.0)
        high = math.ceil(box.top - top - _SLACK)
        return high, math.floor(box.top + box.height - bottom + _SLACK)


class Placed(Struct, frozen=True):
    """A line, and the position of its origin in the picture."""

    line: Line
    x: float
    y: int


def fit(paragraphs: Sequence[Paragraph], box: Box, rules: Rules) -> Block | None:
    """The block at the largest size that fits into a box; None when none does.

    Lines are filled first, and balanced if they still fit then.
    """
    full = replace(rules, wrap="fill") if rules.wrap == "balance" else rules
    for size in range(rules.largest, rules.smallest - 1, -1):
        if _hopeless(paragraphs, size, box, full):
            continue
        block = broken(paragraphs, size, box.width, full)
        if block and block.fits(box):
            even = broken(paragraphs, size, box.width, rules)
            return even if even and even.fits(box) else block
    return None


def _hopeless(paragraphs: Sequence[Paragraph], size: int, box: Box, rules: Rules) -> bool:
    """Whether the letters alone would clearly need more lines than there is room for.

    Breaking thousands of words at hundreds of sizes takes minutes, which this saves.
    """
    lines = box.height / _pitch(paragraphs, size, rules) + 2
    letters = sum(one.letters for one in paragraphs) * size
    return letters * _SPARE > lines * box.width


def _pitch(paragraphs: Sequence[Paragraph], size: int, rules: Rules) -> int:
    """Pixels from one base line to the next."""
    leading = rules.leading
    if leading is None:
        leading = TALL_LEADING if any(one.tall for one in paragraphs) else LEADING
    return max(1, round(size * leading))


def broken(paragraphs: Sequence[Paragraph], size: int, width: float, rules: Rules) -> Block | None:
    """The lines at a size; None when a word is too wide, or there are too many lines."""
    lines: list[Line] = []
    for paragraph in paragraphs:
        more = _lines(paragraph, width / size, rules.wrap)
        if more is None:
            return None
        lines += more
    if rules.most_lines is not None and len(lines) > rules.most_lines:
        return None
    return Block(size, tuple(lines), _pitch(paragraphs, size, rules))


def _lines(paragraph: Paragraph, width: float, wrap: Wrap) -> list[Line] | None:
    whole = paragraph.line(0, len(paragraph.text))
    if wrap == "none" or whole.breadth <= width:
        return [whole]
    filled = _filled(paragraph, width)
    return _balanced(paragraph, width, filled) if filled and wrap == "balance" else filled


def _filled(paragraph: Paragraph, width: float) -> list[Line] | None:
    """Lines as full as they can be; None when a word is too wide."""
    lines: list[Line] = []
    start, end = 0, len(paragraph.text)
    while start < end:
        stop = _farthest(paragraph, start, width)
        if stop is None:
            return None
        lines.append(paragraph.line(start, stop))
        start = stop
    return lines


def _farthest(paragraph: Paragraph, start: int, width: float) -> int | None:
    """The end of a line that begins at `start`: between phrases if possible."""
    choices = (paragraph.breaks.good, paragraph.breaks.any)
    ends = (_last(paragraph, start, width, (*each, len(paragraph.text))) for each in choices)
    return next((end for end in ends if end is not None), None)


def _last(paragraph: Paragraph, start: int, width: float, places: Sequence[int]) -> int | None:
    """The last break that a line from `start` can reach, searched from a guess."""

    def fits(at: int) -> bool:
        return paragraph.line(start, places[at]).breadth <= width + _SLACK

    first = bisect_right(places, start)
    guess = start + int(width / paragraph.average) if paragraph.average > 0 else len(paragraph.text)
    at = max(first, bisect_right(places, guess, first) - 1)
    while at >= first and not fits(at):
        at -= 1
    if at < first:
        return None
    while at + 1 < len(places) and fits(at + 1):
        at += 1
    return places[at]


def _balanced(paragraph: Paragraph, width: float, filled: list[Line]) -> list[Line]:
    """As many lines as when filled, all of about the same length."""
    low, high, best = 0.0, width, filled
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        narrower = _filled(paragraph, middle)
        if narrower is not None and len(narrower) <= len(filled):
            high, best = middle, narrower
        else:
            low = middle
    return best


def place(block: Block, box: Box, anchor: tuple[float, float], align: float) -> Iterator[Placed]:
    """The lines in a box that they fit into; `align` is 0 for left and 1 for right.

    Capitals are what is centred; ink that would leave the box is moved back into it.
    """
    cap = block.lines[0].cap * block.size
    height = cap + (len(block.lines) - 1) * block.pitch
    high, low = block.heights(box)
    ideal = round(box.top + (box.height - height) * anchor[1] + cap)
    y = min(max(ideal, high), low)
    left = box.left + (box.width - block.width) * anchor[0]
    for number, line in enumerate(block.lines):
        x = left + (block.width - line.advance * block.size) * align
        yield Placed(line, _inside(x, line, block.size, box), y + number * block.pitch)


def _inside(x: float, line: Line, size: int, box: Box) -> float:
    """The position nearest to `x` that keeps a line's ink in the box."""
    if line.ink is None:
        return x
    least = box.left - line.ink.left * size
    most = box.left + box.width - line.ink.right * size
    return max(min(x, most), least)
