"""Tables whose cells are separated by commas or tabs, as shops export them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from flux2build.assetspec.rows.sheet import Record, Sheet, Table, brief, normal


def by_commas(sheet: Sheet) -> Table:
    """A CSV file."""
    return _separated(sheet, ",")


def by_tabs(sheet: Sheet) -> Table:
    """A TSV file."""
    return _separated(sheet, "\t")


def _separated(sheet: Sheet, delimiter: str) -> Table:
    lines = _records(sheet, delimiter)
    line, header = next(lines, (1, []))
    columns = _header(sheet, line, header)
    records: list[Record] = []
    for line, cells in lines:
        if len(cells) != len(header):
            sheet.wrong(f"this row has {len(cells)} cells, the header has {len(header)}", line)
            continue
        filled = {column: cell for column, cell in zip(columns, cells, strict=True) if cell}
        if "" in filled:
            sheet.wrong(f"`{brief(filled[''])}` stands in a column without a name", line)
        records.append((line, filled))
    if len(header) == 1 and ";" in header[0] and not sheet.problems:
        sheet.wrong("the columns are separated by `;`", 1, hint="save it with commas, or as .tsv")
    return Table(frozenset(columns) - {""}, records)


def _records(sheet: Sheet, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Trimmed records with the line on which each starts; those without a filled cell are skipped."""
    csv.field_size_limit(len(sheet.text) + 1)
    reader = csv.reader(io.StringIO(sheet.text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed):
                yield start, trimmed
            start = reader.line_num + 1
    except csv.Error as fault:
        sheet.wrong(f"this is not a table: {fault}", start, hint='look for a lone quote `"`')


def _header(sheet: Sheet, line: int, header: list[str]) -> list[str]:
    if not header:
        sheet.wrong("the data file is empty", 1, hint="its first line must name the columns")
    columns = [normal(cell) for cell in header]
    for index, column in enumerate(columns):
        if column and column in columns[:index]:
            first = columns.index(column) + 1
            sheet.wrong(f"columns {first} and {index + 1} are both named `{brief(column)}`", line)
    return columns
