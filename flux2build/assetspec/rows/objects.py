"""Records from JSON: a list of objects, or one object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from flux2build.assetspec.rows.data_file import DataFile, normal
from flux2build.assetspec.strict_json import DECODER, explained
from flux2build.assetspec.validation_errors import kind_of
from flux2build.storage.text_files import without_texts

_MOST_OBJECTS: Final = 500_000
_MOST_VALUES: Final = 2_000_000
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_LINE: Final = re.compile(r"([^\n]*+)(?:\n|\Z)")
_Item = tuple[int, object]
"""A value, after the line on which it starts."""


def of_json(source: DataFile) -> frozenset[str]:
    """Reads the objects of one JSON list, and returns the names of their fields."""
    return _objects(source, _items(source))


def of_lines(source: DataFile) -> frozenset[str]:
    """Reads one JSON object a line, and returns the names of their fields."""
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
    for line, match in enumerate(_LINE.finditer(source.text), start=1):
        if (text := match[1]).strip(" \t\r"):
            try:
                yield line, DECODER.decode(text)
            except (ValueError, RecursionError) as fault:
                message, _, column = explained(fault)
                source.wrong(message, line, column)


def _objects(source: DataFile, items: Iterator[_Item]) -> frozenset[str]:
    _check_size(source)
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
        source.add(line, filled)
    return frozenset(columns)


def _check_size(source: DataFile) -> None:
    """Refuse values that would take much more memory than their text."""
    if sum(map(source.text.count, "[{,")) <= _MOST_OBJECTS:
        return
    if source.text.count('"') > 2 * _MOST_VALUES:
        source.refuse("this data file has too many values", 1)
    signs = without_texts(source.text)
    if signs.count("[") + signs.count("{") > _MOST_OBJECTS or signs.count(",") > _MOST_VALUES:
        source.refuse("this data file has too many values", 1)


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value
