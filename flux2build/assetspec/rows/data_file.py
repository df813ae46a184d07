"""A data file while it is read: its text, its problems, and its records."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from flux2build.errors import Place, Problem

MOST_ROWS: Final = 100_000
"""A spec may not have more members."""
MOST_CELLS: Final = 1_000_000
MOST_FAULTS: Final = 500

Cells = Mapping[str, object]
Record = tuple[int, Cells]
"""The line on which a record starts, and its cells without blank ones."""


class TooMuchError(Exception):
    """A data file has so many rows, cells or problems that reading it ends here."""


@dataclass(slots=True)
class DataFile:
    """The text of a data file, with what reading it has found so far."""

    file: str
    text: str
    key: str = ""
    """The column that names the rows; an object of objects has it outside of them."""
    problems: list[Problem] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    _cells: int = 0

    def wrong(self, message: str, line: int, column: int = 0, hint: str | None = None) -> None:
        """Notes a problem.

        Raises:
            TooMuchError: nobody would read more of them.
        """
        place = Place(self.file, line, column)
        self.problems.append(Problem(message, place, hint=hint))
        if len(self.problems) >= MOST_FAULTS:
            raise TooMuchError

    def add(self, line: int, cells: Cells) -> None:
        """Adds a record.

        Raises:
            TooMuchError: the file has more of them than a spec may have members.
        """
        self._cells += len(cells)
        if len(self.records) >= MOST_ROWS:
            self.refuse(f"this data file has more than {MOST_ROWS:,} rows", line)
        if self._cells > MOST_CELLS:
            self.refuse(f"this data file has more than {MOST_CELLS:,} cells", line)
        self.records.append((line, cells))

    def refuse(self, message: str, line: int) -> NoReturn:
        """Ends the reading of a file that has too much of something; raises a `TooMuchError`."""
        self.wrong(message, line, hint="split it into several, or leave out what no template uses")
        raise TooMuchError


def normal(text: str) -> str:
    """The name of a column: trimmed, in one Unicode form."""
    return unicodedata.normalize("NFC", text.strip())
