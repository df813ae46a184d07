"""Lines in columns that fit a terminal: long lines are folded, and nothing is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from flux2build.console.styled import Text, cell_len

_NARROWEST: Final = 20
"""The least width that a terminal is assumed to have."""
_NAMES: Final = 0.4
"""The share of a line that a column of names may take; a longer name has a line of its own."""
_DEEPEST: Final = 0.6
"""The share of a line behind which no column is folded."""
_INDENT: Final = 4
_GAP: Final = r"(?<=\S) {2,}(?=\S)"
_BREAKS: Final = (re.compile(r" +"), re.compile(r"(?<=[/,;])"), re.compile(r"(?<=[-_.=|])"))
"""Where a line is best broken, the best first."""


def column(names: Iterable[str], width: int | None, most: int | None = None) -> int:
    """The width of a column of names, on lines of some width; it has at most so many cells."""
    lengths = [cell_len(name) for name in names]
    if width is not None:
        lengths = [length for length in lengths if length <= width * _NAMES]
    longest = max(lengths, default=0)
    return longest if most is None else min(longest, most)


def cell(name: str, wide: int) -> str:
    """A name, padded to the width of its column."""
    return name + " " * max(0, wide - cell_len(name))


def folded(line: Text, width: int) -> Iterator[Text]:
    """A line, folded into several if necessary; they begin below the first line's last column."""
    width = max(width, _NARROWEST)
    indent, rest = 0, line
    while rest.cell_len > width - indent:
        cut, below = _cut(rest.plain, width - indent, first=not indent)
        piece, rest = rest[: len(rest.plain[:cut].rstrip())], rest[cut:]
        rest = rest[len(rest.plain) - len(rest.plain.lstrip(" ")) :]
        yield Text.assemble(" " * indent, piece)
        indent = indent or below
    if rest.plain or not indent:
        yield Text.assemble(" " * indent, rest) if indent else rest


def _cut(plain: str, room: int, *, first: bool) -> tuple[int, int]:
    """How many characters come before a break, and where the text after it begins."""
    ends = [match.end() for match in re.finditer(_GAP, plain)] if first else []
    columns = {end: cell_len(plain[:end]) for end in ends}
    fitting = [cells for cells in columns.values() if cells <= room * _DEEPEST]
    indent = fitting[-1] if fitting else _INDENT
    far = [end for end, cells in columns.items() if room * _DEEPEST < cells]
    if far and cell_len(plain[: far[0]].rstrip()) <= room:
        return far[0], indent
    count = room
    while cell_len(plain[:count]) > room:
        count -= 1
    start = indent if first else 0
    for pattern in _BREAKS:
        places = [match.end() for match in pattern.finditer(plain) if match.start() <= count]
        good = [place for place in places if cell_len(plain[:place]) > max(start, room * _NAMES)]
        if good:
            return good[-1], indent
    return max(1, count), indent
