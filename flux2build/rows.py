"""Data files: one row is one member of a family."""

from __future__ import annotations

import csv
import io
import json
import math
import posixpath
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from flux2build import paths
from flux2build.errors import Place, Problem, SpecError, did_you_mean
from flux2build.tree import Kind, Tree

LARGEST: Final = 64 * 1024 * 1024
MOST_PROBLEMS: Final = 20

Cells = Mapping[str, object]
Record = tuple[int, Cells]
"""The line on which a record starts, and its filled cells."""


@dataclass(frozen=True, slots=True)
class Row(Mapping[str, object]):
    """One row: a mapping of its filled cells that knows where it stands."""

    key: str
    cells: Cells
    """Trimmed cells by column; blank ones are left out."""
    place: Place
    columns: frozenset[str]
    """Every column of the file, also those that are blank in this row."""

    @property
    def file(self) -> str:
        """The data file, from the spec's folder."""
        return self.place.file

    def __getitem__(self, column: str) -> object:
        return self.cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    def why_absent(self, column: str) -> tuple[str, str | None]:
        """Why there is no such cell, and what to do about it."""
        if column in self.columns:
            where = f"{self.file} line {self.place.line}"
            return f"column `{column}` is blank in {where}", "use `default` if that is meant"
        return f"{self.file} has no column `{column}`", did_you_mean(column, self.columns)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A file's text on its way to rows; problems are collected, not raised one by one."""

    file: str
    text: str
    problems: list[Problem]

    def wrong(self, message: str, line: int, column: int = 0, hint: str | None = None) -> None:
        place = Place(self.file, line, column)
        self.problems.append(Problem(message, place, hint=hint))


@dataclass(frozen=True, slots=True)
class _Table:
    """What was read: the columns, and each record with its line."""

    columns: frozenset[str]
    records: list[Record]


def read(tree: Tree, file: str, key: str) -> tuple[Row, ...]:
    """The rows of a CSV, TSV, JSON or JSON Lines file, each named by its `key` column.

    Raises:
        SpecError: with every problem of the file.
    """
    suffix = posixpath.splitext(file)[1].lower()
    reader = _READERS.get(suffix)
    if reader is None:
        raise SpecError(
            Problem(
                f"`{file}` is not a data file that can be read",
                hint="known: " + ", ".join(f"`{known}`" for known in _READERS),
            )
        )
    sheet = _Sheet(file, _text(tree, file), [])
    table = reader(sheet)
    _stop(sheet)
    rows = _keyed(sheet, table, _normal(key))
    _stop(sheet)
    return rows


def _stop(sheet: _Sheet) -> None:
    if not sheet.problems:
        return
    shown, more = sheet.problems[:MOST_PROBLEMS], len(sheet.problems) - MOST_PROBLEMS
    if more > 0:
        shown.append(Problem(f"{more} more problems like these", Place(sheet.file)))
    raise SpecError(*shown)


def _text(tree: Tree, file: str) -> str:
    kind = tree.kind(file)
    if kind is not Kind.FILE:
        raise SpecError(Problem(f"data file `{file}` {_LIES[kind]}"))
    data = tree.read(file)
    if len(data) > LARGEST:
        size = f"{len(data) / 1024 / 1024:.0f} MiB"
        raise SpecError(Problem(f"data file is {size}; 64 MiB is the most", Place(file)))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        column = fault.start - (data.rfind(b"\n", 0, fault.start) + 1) + 1
        message = f"byte 0x{data[fault.start]:02x} is not UTF-8"
        raise SpecError(
            Problem(message, Place(file, line, column), hint="save the file as UTF-8")
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SpecError(Problem("a NUL character in a data file", Place(file, line)))
    return text


_LIES: Final = {
    Kind.FOLDER: "is a folder",
    Kind.MISSING: "does not exist",
    Kind.OUTSIDE: "lies outside the project",
    Kind.SPECIAL: "is not a regular file",
}


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _keyed(sheet: _Sheet, table: _Table, key: str) -> tuple[Row, ...]:
    if key not in table.columns and (table.columns or table.records):
        hint = did_you_mean(key, table.columns)
        sheet.wrong(f"there is no column `{key}` to name the rows by", 1, hint=hint)
        return ()
    rows: list[Row] = []
    first: dict[str, Row] = {}
    for line, cells in table.records:
        name = _name(sheet, line, cells, key)
        if name is None:
            continue
        row = Row(name, cells, Place(sheet.file, line), table.columns)
        earlier = first.setdefault(paths.fold(name), row)
        if earlier is row:
            rows.append(row)
        else:
            _clash(sheet, key, earlier, row)
    return tuple(rows)


def _name(sheet: _Sheet, line: int, cells: Cells, key: str) -> str | None:
    value = cells.get(key)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None:
        sheet.wrong(f"the key `{key}` is blank", line, hint="every row needs a key of its own")
    else:
        sheet.wrong(f"the key `{key}` must be a text or a whole number", line)
    return None


def _clash(sheet: _Sheet, key: str, earlier: Row, row: Row) -> None:
    same = f"`{key}` is `{_brief(row.key)}`"
    if earlier.key != row.key:
        same += f", the same as `{_brief(earlier.key)}` for some file systems,"
    sheet.wrong(
        f"{same} on line {earlier.place.line} and again on line {row.place.line}", row.place.line
    )


def _brief(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _csv(sheet: _Sheet) -> _Table:
    return _separated(sheet, ",")


def _tsv(sheet: _Sheet) -> _Table:
    return _separated(sheet, "\t")


def _separated(sheet: _Sheet, delimiter: str) -> _Table:
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
            sheet.wrong(f"`{_brief(filled[''])}` stands in a column without a name", line)
        records.append((line, filled))
    if len(header) == 1 and ";" in header[0] and not sheet.problems:
        sheet.wrong("the columns are separated by `;`", 1, hint="save it with commas, or as .tsv")
    return _Table(frozenset(columns) - {""}, records)


def _records(sheet: _Sheet, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Trimmed records with the line on which each starts; those without a filled cell are skipped."""
    csv.field_size_limit(LARGEST)
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


def _header(sheet: _Sheet, line: int, header: list[str]) -> list[str]:
    if not header:
        sheet.wrong("the data file is empty", 1, hint="its first line must name the columns")
    columns = [_normal(cell) for cell in header]
    for index, column in enumerate(columns):
        if column and column in columns[:index]:
            first = columns.index(column) + 1
            sheet.wrong(f"columns {first} and {index + 1} are both named `{_brief(column)}`", line)
    return columns


def _json(sheet: _Sheet) -> _Table:
    items: list[tuple[int, object]] = []
    try:
        items.extend(_items(sheet.text))
    except json.JSONDecodeError as fault:
        sheet.wrong(f"this is not JSON: {_lowered(fault.msg)}", fault.lineno, fault.colno)
    except _BadItemError as fault:
        sheet.wrong(fault.message, fault.line)
    return _objects(sheet, items)


def _items(text: str) -> Iterator[tuple[int, object]]:
    """The items of a JSON list with the line on which each starts."""
    at = _blank(text, 0)
    if text[at : at + 1] != "[":
        raise json.JSONDecodeError("expecting a list of objects", text, at)
    at = _blank(text, at + 1)
    line, counted = 1, 0
    more = text[at : at + 1] != "]"
    while more:
        line, counted = line + text.count("\n", counted, at), at
        item, at = _item(text, at, line)
        yield line, item
        at = _blank(text, at)
        more = text[at : at + 1] == ","
        at = _blank(text, at + 1) if more else at
    if text[at : at + 1] != "]":
        raise json.JSONDecodeError("expecting `,` or `]`", text, at)
    if (end := _blank(text, at + 1)) != len(text):
        raise json.JSONDecodeError("nothing may follow the list", text, end)


def _item(text: str, at: int, line: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as fault:
        raise _BadItemError(line, _said(fault)) from None


def _blank(text: str, at: int) -> int:
    while text[at : at + 1] in _BLANKS:
        at += 1
    return at


_BLANKS: Final = frozenset(" \t\r\n")


def _jsonl(sheet: _Sheet) -> _Table:
    items: list[tuple[int, object]] = []
    for line, text in enumerate(sheet.text.split("\n"), start=1):
        if not text.strip(" \t\r"):
            continue
        try:
            items.append((line, _DECODER.decode(text)))
        except json.JSONDecodeError as fault:
            sheet.wrong(f"this is not JSON: {_lowered(fault.msg)}", line, fault.colno)
        except (ValueError, RecursionError) as fault:
            sheet.wrong(_said(fault), line)
    return _objects(sheet, items)


def _objects(sheet: _Sheet, items: list[tuple[int, object]]) -> _Table:
    records: list[Record] = []
    columns: set[str] = set()
    for line, item in items:
        if not isinstance(item, dict):
            sheet.wrong(f"every item must be an object, this is {_KINDS[type(item)]}", line)
            continue
        trimmed = {_normal(column): _trimmed(value) for column, value in item.items()}
        if len(trimmed) < len(item):
            sheet.wrong("two fields of this object have the same name", line)
        columns.update(trimmed)
        filled = {name: value for name, value in trimmed.items() if value not in (None, "")}
        records.append((line, filled))
    return _Table(frozenset(columns), records)


_KINDS: Final = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


class _BadValueError(ValueError):
    """A value that is JSON for Python, but not for us."""


class _BadItemError(Exception):
    """An item of a list that cannot be used, and its line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _BadValueError(f"field `{_brief(twice)}` is given twice in one object")
    return value


def _number(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise _BadValueError(f"`{_brief(text)}` is not a number of JSON's")


def _said(fault: ValueError | RecursionError) -> str:
    if isinstance(fault, RecursionError):
        return "this is nested too deeply"
    return str(fault) if isinstance(fault, _BadValueError) else "a number has too many digits"


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_number, parse_constant=_no_number
)

_READERS: Final[Mapping[str, Callable[[_Sheet], _Table]]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".json": _json,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
}
