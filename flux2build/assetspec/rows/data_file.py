"""Data files while they are read: their texts, their problems, and their records."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Mapping
from typing import Final, NoReturn

from msgspec import Struct, field

from flux2build.errors import Place, Problem

MOST_ROWS: Final = 100_000
"""The most members of a spec."""
MOST_CELLS: Final = 1_000_000
MOST_FAULTS: Final = 500
_OF_FOLDERS: Final = frozenset({"index", "_index"})
"""Names of files that stand for their folder."""

Cells = Mapping[str, object]
Record = tuple[Place, Cells]
"""The start of a record, and its cells without blank ones."""


class TooMuchError(Exception):
    """Data files have so many rows, cells or problems that reading them ends here."""


class Records(Struct):
    """The records of one data file, or of all files that a pattern names, with their problems."""

    problems: list[Problem] = field(default_factory=list)
    rows: list[Record] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    """The names of all columns."""
    whole: set[str] = field(default_factory=set)
    """The files that are one row each."""
    _cells: int = 0

    def wrong(self, message: str, place: Place, hint: str | None = None) -> None:
        """Note a problem.

        Raises:
            TooMuchError: there are too many problems to read.
        """
        self.problems.append(Problem(message, place, hint=hint))
        if len(self.problems) >= MOST_FAULTS:
            raise TooMuchError

    def add(self, place: Place, cells: Cells) -> None:
        """Add a record.

        Raises:
            TooMuchError: there are more of them than a spec may have members.
        """
        self._cells += len(cells)
        if len(self.rows) >= MOST_ROWS:
            self.refuse(f"this data has more than {MOST_ROWS:,} rows", place)
        if self._cells > MOST_CELLS:
            self.refuse(f"this data has more than {MOST_CELLS:,} cells", place)
        self.rows.append((place, cells))

    def refuse(self, message: str, place: Place) -> NoReturn:
        """End the reading of too much data; raises a `TooMuchError`."""
        self.wrong(message, place, "split it into several, or leave out what no template uses")
        raise TooMuchError


class DataFile(Struct):
    """One data file, which is read into records."""

    file: str
    text: str
    records: Records
    key: str = ""
    """The column that names the rows, if a row lacks such a cell."""
    is_row: bool = False
    """Whether its object is one row, as in files that a pattern names."""

    def wrong(self, message: str, line: int, column: int = 0, hint: str | None = None) -> None:
        """Note a problem; raises a `TooMuchError` if there are too many to read."""
        self.records.wrong(message, Place(self.file, line, column), hint)

    def add(self, line: int, cells: Cells) -> None:
        """Add a record; raises a `TooMuchError` if there are too many."""
        self.records.add(Place(self.file, line), cells)

    def refuse(self, message: str, line: int) -> NoReturn:
        """End the reading of a file with too much data; raises a `TooMuchError`."""
        self.records.refuse(message, Place(self.file, line))

    @property
    def own(self) -> Cells:
        """The cells of a file that is one row: its name in the key's column, its path, its folder."""
        folder, name = posixpath.split(self.file)
        stem = posixpath.splitext(name)[0]
        if stem in _OF_FOLDERS:
            stem = posixpath.basename(folder) or stem
        key = {self.key: stem} if self.key else {}
        return {"file": self.file, "folder": folder or ".", **key}


def normal(text: str) -> str:
    """The name of a column: trimmed, in one Unicode form."""
    return unicodedata.normalize("NFC", text.strip())
