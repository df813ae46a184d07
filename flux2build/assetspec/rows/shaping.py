"""Cells as the spec wants them: lists split and blanks filled from above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from flux2build.assetspec.rows.data_file import Cells, Record, Records, normal
from flux2build.errors import Place, did_you_mean


class Shape(Struct, frozen=True):
    """The naming of rows, and the changes to their cells."""

    keys: tuple[str, ...]
    """The columns that name the rows."""
    fill: tuple[str, ...] = ()
    """The columns whose blank cells have the value of the row above."""
    split: Mapping[str, str] = field(default_factory=dict)
    """The columns that are lists, with the separators of their items."""


def shaped(records: Records, start: Place, shape: Shape) -> list[Record]:
    """The records with their blanks filled and their lists split."""
    required, columns = (*map(normal, shape.fill), *map(normal, shape.split)), records.columns
    for column in required if columns else ():
        if column not in columns:
            hint = did_you_mean(column, columns)
            records.wrong(f"there is no column `{column}`", start, hint)
    split = {normal(column): mark for column, mark in shape.split.items()}
    filled = _filled(records.rows, tuple(map(normal, shape.fill)))
    return [(place, _split(cells, split)) for place, cells in filled]


def _filled(records: Iterable[Record], columns: Sequence[str]) -> Iterator[Record]:
    above: dict[str, object] = {}
    file = ""
    for place, cells in records:
        if place.file != file:
            above, file = {}, place.file
        above |= {column: cells[column] for column in columns if column in cells}
        yield place, {**above, **cells} if columns else cells


def _split(cells: Cells, marks: Mapping[str, str]) -> Cells:
    if not marks:
        return cells
    lists = {
        column: [item for part in text.split(mark) if (item := part.strip())]
        for column, mark in marks.items()
        if isinstance(text := cells.get(column), str)
    }
    return {**cells, **lists}
