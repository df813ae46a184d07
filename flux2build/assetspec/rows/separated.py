"""Records from CSV and TSV: cells separated by commas or tabs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final

from flux2build.assetspec.rows.data_file import DataFile, normal
from flux2build.errors import brief
from flux2build.storage.text_files import is_stray, unseen, unseen_hint

_LINE: Final = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]++")
_PADDED: Final = re.compile(r'" | "')
_LONGEST: Final = 1024 * 1024
"""Most letters of a row."""


def separated(source: DataFile, *, delimiter: str | None = None) -> None:
    """Read the records of a CSV or TSV file.

    Without a `delimiter`, commas separate cells, or the header's own delimiter.
    """
    delimiter = delimiter or _delimiter(source.text)
    lines = _records(source, delimiter)
    line, header = next(lines, (1, []))
    columns = _header(source, line, header)
    for line, cells in lines:
        if len(cells) != len(header):
            source.wrong(f"this row has {len(cells)} cells, the header has {len(header)}", line)
            continue
        filled = {column: cell for column, cell in zip(columns, cells, strict=True) if cell}
        if "" in filled:
            source.wrong(f"`{brief(filled[''])}` stands in a column without a name", line)
        source.add(line, filled)
    source.records.columns |= {*columns} - {""}


def _delimiter(text: str) -> str:
    """A comma, unless the header has semicolons or tabs and no comma, as in some countries."""
    header = text.lstrip().partition("\n")[0]
    return next((mark for mark in (",", ";", "\t") if mark in header), ",")


def _unpadded(text: str, delimiter: str) -> str:
    """The text without blanks around quotes, which the `csv` module takes for part of a cell."""
    if not _PADDED.search(text):
        return text
    end = re.escape(delimiter)
    quoted = rf' *(?P<quoted>"(?:[^"]|""){{0,{_LONGEST}}}+") *(?=[{end}\r\n]|\Z)'
    cell = re.compile(rf"{quoted}|[^{end}\r\n]+")
    return cell.sub(lambda match: match["quoted"] or match[0], text)


def _records(source: DataFile, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Trimmed records with the line on which each starts, without blank ones."""
    csv.field_size_limit(_LONGEST)
    lines = _Lines(source, _unpadded(source.text, delimiter))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            lines.begin(reader.line_num + 1)
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed):
                yield start, trimmed
            start = reader.line_num + 1
    except csv.Error as fault:
        source.wrong(f"this is not a table: {fault}", start, hint='look for a lone quote `"`')


class _Lines:
    """The lines of a file with their ends; a row that becomes too long is refused."""

    def __init__(self, source: DataFile, text: str) -> None:
        self._source, self._lines = source, _LINE.finditer(text)
        self.begin(1)

    def begin(self, line: int) -> None:
        """Begin the next row at a line."""
        self._start, self._length = line, 0

    def __iter__(self) -> Iterator[str]:
        for match in self._lines:
            self._length += match.end() - match.start()
            if self._length > _LONGEST:
                self._source.refuse("this row has more than 1 MiB", self._start)
            yield match[0]


def _header(source: DataFile, line: int, header: list[str]) -> list[str]:
    if not header:
        source.wrong("the data file is empty", 1, hint="its first line must name the columns")
    columns = [normal(cell) for cell in header]
    numbers: dict[str, int] = {}
    for number, column in enumerate(columns, start=1):
        first = numbers.setdefault(column, number)
        if column and first != number:
            source.wrong(f"columns {first} and {number} are both named `{brief(column)}`", line)
        if letter := next((letter for letter in column if is_stray(letter)), None):
            message = f"the name of column {number} has an invisible character: {unseen(letter)}"
            source.wrong(message, line, hint=unseen_hint(letter))
    return columns
