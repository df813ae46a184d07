"""Records from JSON: a list of objects, or one object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Final, NoReturn

from flux2build.assetspec.rows.data_file import DataFile, DataTable, Record, normal
from flux2build.errors import brief


def of_json(source: DataFile) -> DataTable:
    """The objects of one JSON list."""
    items: list[tuple[int, object]] = []
    try:
        items.extend(_items(source.text))
    except json.JSONDecodeError as fault:
        source.wrong(f"this is not JSON: {_lowered(fault.msg)}", fault.lineno, fault.colno)
    except _BadItemError as fault:
        source.wrong(fault.message, fault.line)
    return _objects(source, items)


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
        raise _BadItemError(line, _explained(fault)) from None


def _blank(text: str, at: int) -> int:
    while text[at : at + 1] in _BLANKS:
        at += 1
    return at


_BLANKS: Final = frozenset(" \t\r\n")


def of_lines(source: DataFile) -> DataTable:
    """One JSON object a line."""
    items: list[tuple[int, object]] = []
    for line, text in enumerate(source.text.split("\n"), start=1):
        if not text.strip(" \t\r"):
            continue
        try:
            items.append((line, _DECODER.decode(text)))
        except json.JSONDecodeError as fault:
            source.wrong(f"this is not JSON: {_lowered(fault.msg)}", line, fault.colno)
        except (ValueError, RecursionError) as fault:
            source.wrong(_explained(fault), line)
    return _objects(source, items)


def _objects(source: DataFile, items: list[tuple[int, object]]) -> DataTable:
    records: list[Record] = []
    columns: set[str] = set()
    for line, item in items:
        if not isinstance(item, dict):
            source.wrong(f"every item must be an object, this is {_KINDS[type(item)]}", line)
            continue
        trimmed = {normal(column): _trimmed(value) for column, value in item.items()}
        if len(trimmed) < len(item):
            source.wrong("two fields of this object have the same name", line)
        columns.update(trimmed)
        filled = {name: value for name, value in trimmed.items() if value not in (None, "")}
        records.append((line, filled))
    return DataTable(frozenset(columns), records)


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
    """A value that Python reads, and JSON does not allow or a table cannot hold."""


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
        raise _BadValueError(f"field `{brief(twice)}` is given twice in one object")
    return value


def _number(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise _BadValueError(f"`{brief(text)}` is not a number of JSON's")


def _explained(fault: ValueError | RecursionError) -> str:
    if isinstance(fault, RecursionError):
        return "this is nested too deeply"
    return str(fault) if isinstance(fault, _BadValueError) else "a number has too many digits"


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_number, parse_constant=_no_number
)
