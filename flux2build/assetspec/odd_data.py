"""Notices about odd data files: failed formulas, and files without rows."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Final

from flux2build.assetspec.family import AssetFamily
from flux2build.assetspec.spec import ODD_DATA, Notice
from flux2build.assetspec.tables import Rows
from flux2build.errors import Problem, brief
from flux2build.model import Key

if TYPE_CHECKING:
    from flux2build.assetspec.rows import Row

_WORD: Final = r"\w+"
_FAILED: Final = frozenset(
    {"#ref!", "#n/a", "#value!", "#name?", "#div/0!", "#null!", "#num!", "#spill!", "#calc!", "n/a"}
)
"""The values that spreadsheets write for failed formulas, in lower case."""
_MOST_LINES: Final = 5


class _EveryWord(Container[str]):
    """A set that contains every word."""

    def __contains__(self, _word: object) -> bool:
        return True


EVERY_WORD: Final = _EveryWord()
"""The words of templates, where any column may be named."""


def notices(key: Key, table: Rows, family: AssetFamily, words: Container[str]) -> Iterator[Notice]:
    """One notice for each column with failed formulas that templates name.

    A file with only a header makes nothing, which may be intended, and gets a notice, too.
    """
    rows = {one.row.place: one.row for one in family.members if one.row is not None}
    if not family.members:
        picked = "has no rows" if table.where is None else "has no rows that `where` picks"
        message = f"`{table.file}` {picked}, so `{family.name}` has no members"
        yield Notice(ODD_DATA, (*key, "rows", "file"), Problem(message), name=False)
    for column, failed in _failed([*rows.values()]).items():
        if column in table.keys or any(word in words for word in re.findall(_WORD, column)):
            cell = str(failed[0][column])
            one = all(row.place.file == table.file for row in failed)
            places = [str(row.place.line if one else row.place) for row in failed[:_MOST_LINES]]
            more = f" and {len(failed) - _MOST_LINES} more" if len(failed) > _MOST_LINES else ""
            facts = (("file", table.file), ("lines" if one else "at", ", ".join(places) + more))
            problem = Problem(
                f"column `{brief(column)}` holds `{cell}`, which is not a value",
                rows=facts,
                hint="mend it where the file was exported, or leave these rows out with `where`",
            )
            yield Notice(ODD_DATA, (*key, "rows", "file"), problem, name=False)


def _failed(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows by the column in which a formula has failed."""
    failures: dict[str, list[Row]] = {}
    for row in rows:
        for column, cell in row.cells.items():
            if isinstance(cell, str) and cell[:1] in "#nN" and cell.lower() in _FAILED:
                failures.setdefault(column, []).append(row)
    return failures
