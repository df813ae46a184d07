"""A data file while it is read: its text, its problems, and its records."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from flux2build.errors import Place, Problem

Cells = Mapping[str, object]
Record = tuple[int, Cells]
"""The line on which a record starts, and its cells without blank ones."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """The text of a data file, and the problems that reading it has found so far."""

    file: str
    text: str
    problems: list[Problem]

    def wrong(self, message: str, line: int, column: int = 0, hint: str | None = None) -> None:
        """Notes a problem."""
        place = Place(self.file, line, column)
        self.problems.append(Problem(message, place, hint=hint))


@dataclass(frozen=True, slots=True)
class DataTable:
    """The columns of a data file, and its records with their lines."""

    columns: frozenset[str]
    records: list[Record]


def normal(text: str) -> str:
    """The name of a column: trimmed, in one Unicode form."""
    return unicodedata.normalize("NFC", text.strip())
