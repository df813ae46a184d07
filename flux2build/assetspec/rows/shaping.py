"""Cells as the spec wants them: lists split and blanks filled from above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flux2build.assetspec.rows.data_file import Cells, DataFile, Record, normal
from flux2build.errors import did_you_mean


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows are named, and what is done with their cells."""

    keys: tuple[str, ...]
    """The columns that name the rows."""
    fill: tuple[str, ...] = ()
    """The columns whose blank cells have the value of the row above."""
    split: Mapping[str, str] = field(default_factory=dict)
    """The columns that are lists, with what separates their items."""


def shaped(source: DataFile, columns: frozenset[str], shape: Shape) -> list[Record]:
    """The records with their blanks filled and their lists split."""
    wanted = (*map(normal, shape.fill), *map(normal, shape.split))
    for column in wanted if columns else ():
        if column not in columns:
            source.wrong(f"there is no column `{column}`", 1, hint=did_you_mean(column, columns))
    split = {normal(column): mark for column, mark in shape.split.items()}
    records = _filled(source.records, tuple(map(normal, shape.fill)))
    return [(line, _split(cells, split)) for line, cells in records]


def _filled(records: Iterable[Record], columns: Sequence[str]) -> Iterator[Record]:
    above: dict[str, object] = {}
    for line, cells in records:
        above |= {column: cells[column] for column in columns if column in cells}
        yield line, {**above, **cells} if columns else cells


def _split(cells: Cells, marks: Mapping[str, str]) -> Cells:
    lists = {
        column: [item for part in text.split(mark) if (item := part.strip())]
        for column, mark in marks.items()
        if isinstance(text := cells.get(column), str)
    }
    return {**cells, **lists}
