"""A data file on its way from text to rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from flux2build.errors import Place, Problem

Cells = Mapping[str, object]
Record = tuple[int, Cells]
"""The line on which a record starts, and its filled cells."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file's text on its way to rows; problems are collected, not raised one by one."""

    file: str
    text: str
    problems: list[Problem]

    def wrong(self, message: str, line: int, column: int = 0, hint: str | None = None) -> None:
        """Note one problem, and go on."""
        place = Place(self.file, line, column)
        self.problems.append(Problem(message, place, hint=hint))


@dataclass(frozen=True, slots=True)
class DataTable:
    """What was read: the columns, and each record with its line."""

    columns: frozenset[str]
    records: list[Record]


def normal(text: str) -> str:
    """The name of a column: trimmed, in one Unicode form."""
    return unicodedata.normalize("NFC", text.strip())
