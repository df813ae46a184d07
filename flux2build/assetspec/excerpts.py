"""Excerpts of data files: after an edit, only the lines that differ are read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flux2build.storage.project_files import LARGEST, Kind, ProjectFiles

_MOST: Final = 200
"""The number of changed lines from which on the whole file is read."""
_MOST_LINES: Final = 90_000
_MOST_CELLS: Final = 900_000
"""The number of cells from which on a growing file is read whole: it may be too large now."""
_BLANK: Final = " \t\r,;"
"""Lines with only these characters are not rows."""


def excerpts(before: str, now: str) -> tuple[str, str] | None:
    """Return the changed lines, below the header, of a file in which each line is a row.

    If lines were added or removed, these are all lines from the first change to the last, after an
    unchanged row. None if the header differs, or too many lines do.
    """
    lines, others = before.split("\n"), now.split("\n")
    if '"' in now or "\r" in now or lines[0] != others[0] or not lines[0].strip(_BLANK):
        return None
    if len(lines) == len(others):
        pairs = [pair for pair in zip(lines, others, strict=True) if pair[0] != pair[1]]
        was, is_now = [each for each, _ in pairs], [each for _, each in pairs]
    elif _may_be_too_large(others):
        return None
    else:
        was, is_now = _middle(lines, others)
    if not (was or is_now) or max(len(was), len(is_now)) > _MOST:
        return None
    return "\n".join([lines[0], *was]), "\n".join([lines[0], *is_now])


def lines_with(text: str, values: Collection[str]) -> str | None:
    """Return the lines, below the header, in which a cell has one of some values.

    None if a line may not be a row of its own, or there are too many lines.
    """
    header, _, rows = text.partition("\n")
    if '"' in text or "\r" in text or not header.strip(_BLANK):
        return None
    cell = "|".join(map(re.escape, sorted(filter(None, values)))) or "(?!)"
    lines: dict[int, str] = {}
    for each in re.finditer(rf"(?<![^{_BLANK}\n])(?:{cell})(?![^{_BLANK}\n])", rows):
        start, end = rows.rfind("\n", 0, each.start()) + 1, rows.find("\n", each.start())
        lines[start] = rows[start:end] if end >= 0 else rows[start:]
        if len(lines) > _MOST:
            return None
    return "\n".join([header, *lines.values()])


def first_of(text: str) -> str:
    """Return the header of a file in which each line is a row, and the line below it."""
    return "\n".join(text.split("\n", 2)[:2])


def _may_be_too_large(lines: Sequence[str]) -> bool:
    columns = 1 + max(map(lines[0].count, ",;\t"))
    return len(lines) > _MOST_LINES or len(lines) * columns > _MOST_CELLS


def _middle(lines: list[str], others: list[str]) -> tuple[list[str], list[str]]:
    """The lines from the last row before the changes to the first line after them."""
    shorter = min(len(lines), len(others))
    start = next((at for at in range(shorter) if lines[at] != others[at]), shorter)
    rest = shorter - start
    end = next((at for at in range(rest) if lines[-1 - at] != others[-1 - at]), rest)
    while start > 1 and not lines[start - 1].strip(_BLANK):
        start -= 1
    start = max(1, start - 1)
    return lines[start : len(lines) - end], others[start : len(others) - end]


class Excerpts(Struct):
    """The files of a project, some of them with excerpts in place of their texts."""

    tree: ProjectFiles
    texts: Mapping[str, str]

    def kind(self, path: str) -> Kind:
        """Return the kind of a path, links followed."""
        return self.tree.kind(path)

    def names(self, folder: str) -> Sequence[str]:
        """Return the names in a folder."""
        return self.tree.names(folder)

    def entries(self, folder: str) -> Sequence[tuple[str, bool]]:
        """Return the names in a folder, each with whether it is a folder itself."""
        return self.tree.entries(folder)

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """Return the text of an excerpt in bytes, or the bytes of a file."""
        text = self.texts.get(path)
        return self.tree.read(path, most) if text is None else text.encode()
