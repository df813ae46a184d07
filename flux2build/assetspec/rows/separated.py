"""Records from CSV and TSV: cells separated by commas or tabs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from flux2build.assetspec.rows.data_file import DataFile, DataTable, Record, normal
from flux2build.errors import brief


def separated(source: DataFile, *, delimiter: str) -> DataTable:
    """The records of a CSV or TSV file."""
    lines = _records(source, delimiter)
    line, header = next(lines, (1, []))
    columns = _header(source, line, header)
    records: list[Record] = []
    for line, cells in lines:
        if len(cells) != len(header):
            source.wrong(f"this row has {len(cells)} cells, the header has {len(header)}", line)
            continue
        filled = {column: cell for column, cell in zip(columns, cells, strict=True) if cell}
        if "" in filled:
            source.wrong(f"`{brief(filled[''])}` stands in a column without a name", line)
        records.append((line, filled))
    if len(header) == 1 and ";" in header[0] and not source.problems:
        source.wrong("the columns are separated by `;`", 1, hint="save it with commas, or as .tsv")
    return DataTable(frozenset(columns) - {""}, records)


def _records(source: DataFile, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Trimmed records with the line on which each starts, without blank ones."""
    csv.field_size_limit(len(source.text) + 1)
    reader = csv.reader(io.StringIO(source.text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed):
                yield start, trimmed
            start = reader.line_num + 1
    except csv.Error as fault:
        source.wrong(f"this is not a table: {fault}", start, hint='look for a lone quote `"`')


def _header(source: DataFile, line: int, header: list[str]) -> list[str]:
    if not header:
        source.wrong("the data file is empty", 1, hint="its first line must name the columns")
    columns = [normal(cell) for cell in header]
    for index, column in enumerate(columns):
        if column and column in columns[:index]:
            first = columns.index(column) + 1
            source.wrong(f"columns {first} and {index + 1} are both named `{brief(column)}`", line)
    return columns
