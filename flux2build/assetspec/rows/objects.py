"""Records from JSON: a list of objects, or one object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from typing import Final

from flux2build.assetspec.rows.data_file import DataFile, normal
from flux2build.assetspec.strict_json import DECODER, explained
from flux2build.assetspec.validation_errors import kind_of
from flux2build.errors import SpecError
from flux2build.storage import toml_text
from flux2build.storage.text_files import without_texts

_MOST_OBJECTS: Final = 500_000
_MOST_VALUES: Final = 2_000_000
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_LINE: Final = re.compile(r"([^\n]*+)(?:\n|\Z)")
_Item = tuple[int, object]
"""A value, after the line on which it starts."""


def of_json(source: DataFile) -> frozenset[str]:
    """Reads the objects of one JSON list, also inside of an object; or of one object, by their keys."""
    if not source.text.lstrip().startswith("{"):
        return _objects(source, _items(source))
    _check_size(source)
    try:
        data = DECODER.decode(source.text)
    except (ValueError, RecursionError) as fault:
        message, line, column = explained(fault)
        source.wrong(message, line or 1, column)
        return frozenset()
    if len(data) == 1 and isinstance(next(iter(data.values())), list):
        return _objects(source, _items(source, source.text.index("[", source.text.index('":'))))
    return _objects(source, _members(source, data))


def of_lines(source: DataFile) -> frozenset[str]:
    """Reads one JSON object a line, and returns the names of their fields."""
    return _objects(source, _lines(source))


def of_toml(source: DataFile) -> frozenset[str]:
    """Reads the tables of one array in TOML, or of one table that has a key for each."""
    _check_size(source)
    try:
        data = toml_text.parsed(source.text, source.file)
    except SpecError as error:
        source.problems.extend(error.problems)
        return frozenset()
    name, only = next(iter(data.items())) if len(data) == 1 else ("", None)
    if isinstance(only, list):
        lines = chain(_headers(source.text, name), repeat(1))
        return _objects(source, zip(lines, only, strict=False))
    tables = only if isinstance(only, dict) and _are_tables(only) else data
    if not _are_tables(tables):
        hint = "such as `[[product]]` for each row"
        source.wrong("a data file in TOML holds one array of tables", 1, hint=hint)
        return frozenset()
    return _objects(source, ((1, _keyed(source, *each)) for each in tables.items()))


def _headers(text: str, name: str) -> Iterator[int]:
    """The lines of the headers of an array of tables."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("[[") and line[2:].partition("]")[0].strip() == name:
            yield number


def _are_tables(table: Mapping[str, object]) -> bool:
    """Whether a table holds tables, and nothing else."""
    return {type(value) for value in table.values()} == {dict}


def _keyed(source: DataFile, key: str, value: object) -> object:
    """An object with the key under which it stands as its first cell."""
    return {source.key: key, **value} if isinstance(value, dict) and source.key else value


def _members(source: DataFile, data: Mapping[str, object]) -> Iterator[_Item]:
    """The values of a JSON object, each with its key in the column that names the rows."""
    line, counted = 1, 0
    for key, value in data.items():
        at = source.text.find(json.dumps(key, ensure_ascii=False), counted)
        if at > counted:
            line, counted = line + source.text.count("\n", counted, at), at
        yield line, _keyed(source, key, value)


def _items(source: DataFile, start: int = 0) -> Iterator[_Item]:
    """The items of the JSON list that begins at a place, up to the first mistake."""
    text, line, counted = source.text, 1, 0
    try:
        at = _past("[", text, start, "expecting a list of objects")
        more = text[at : at + 1] != "]"
        while more:
            line, counted = line + text.count("\n", counted, at), at
            item, at = DECODER.raw_decode(text, at)
            yield line, item
            at = _next(text, at)
            more = text[at : at + 1] == ","
            at = _next(text, at + 1) if more else at
        if (end := _past("]", text, at, "expecting `,` or `]`")) != len(text) and not start:
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
    """A value as a cell: texts without blanks around them, and TOML's dates and times as texts."""
    if isinstance(value, str):
        return value.strip()
    in_words = getattr(value, "isoformat", None)
    return in_words() if in_words else value
