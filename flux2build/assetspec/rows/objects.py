"""Records from JSON: a list of objects, or one object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from flux2build.assetspec.rows.data_file import DataFile, DataTable, Record, normal
from flux2build.assetspec.strict_json import DECODER, explained
from flux2build.assetspec.validation_errors import kind_of

_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_Item = tuple[int, object]
"""A value, after the line on which it starts."""


def of_json(source: DataFile) -> DataTable:
    """The objects of one JSON list."""
    return _objects(source, _items(source))


def of_lines(source: DataFile) -> DataTable:
    """One JSON object a line."""
    return _objects(source, _lines(source))


def _items(source: DataFile) -> Iterator[_Item]:
    """The items of a JSON list, up to the first mistake."""
    text, line, counted = source.text, 1, 0
    try:
        at = _past("[", text, 0, "expecting a list of objects")
        more = text[at : at + 1] != "]"
        while more:
            line, counted = line + text.count("\n", counted, at), at
            item, at = DECODER.raw_decode(text, at)
            yield line, item
            at = _next(text, at)
            more = text[at : at + 1] == ","
            at = _next(text, at + 1) if more else at
        if (end := _past("]", text, at, "expecting `,` or `]`")) != len(text):
            raise json.JSONDecodeError("nothing may follow the list", text, end)
    except (ValueError, RecursionError) as fault:
        message, known, column = explained(fault)
        source.wrong(message, known or line, column)


def _past(sign: str, text: str, at: int, otherwise: str) -> int:
    at = _next(text, at)
    if text[at : at + 1] != sign:
        raise json.JSONDecodeError(otherwise, text, at)
    return _next(text, at + 1)


def _next(text: str, at: int) -> int:
    """The index of the next letter that is not blank."""
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _lines(source: DataFile) -> Iterator[_Item]:
    for line, text in enumerate(source.text.split("\n"), start=1):
        if text.strip(" \t\r"):
            try:
                yield line, DECODER.decode(text)
            except (ValueError, RecursionError) as fault:
                message, _, column = explained(fault)
                source.wrong(message, line, column)


def _objects(source: DataFile, items: Iterator[_Item]) -> DataTable:
    records: list[Record] = []
    columns: set[str] = set()
    for line, item in items:
        if not isinstance(item, dict):
            kind = "null" if item is None else kind_of(item)
            source.wrong(f"every item must be an object, this is {kind}", line)
            continue
        trimmed = {normal(column): _trimmed(value) for column, value in item.items()}
        if len(trimmed) < len(item):
            source.wrong("two fields of this object have the same name", line)
        columns.update(trimmed)
        filled = {name: value for name, value in trimmed.items() if value not in (None, "")}
        records.append((line, filled))
    return DataTable(frozenset(columns), records)


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value
