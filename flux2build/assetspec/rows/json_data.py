"""Records from JSON: a list of objects, an object of objects, or one object on each line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from flux2build.assetspec.rows import objects
from flux2build.assetspec.rows.data_file import DataFile
from flux2build.assetspec.rows.objects import Item
from flux2build.assetspec.strict_json import DECODER, explained

_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_LINE: Final = re.compile(r"([^\n]*+)(?:\n|\Z)")


def of_json(source: DataFile) -> None:
    """Read the objects of one JSON list, also inside of an object; or of one object, by their keys."""
    objects.check_size(source)
    if not source.text.lstrip().startswith("{"):
        objects.add(source, _items(source))
        return
    try:
        data = DECODER.decode(source.text)
    except (ValueError, RecursionError) as fault:
        message, line, column = explained(fault)
        source.wrong(message, line or 1, column)
        return
    if len(data) == 1 and isinstance(next(iter(data.values())), list):
        start = source.text.index("[", source.text.index('":'))
        objects.add(source, _items(source, start))
    elif source.is_row:
        objects.add_row(source, data)
    else:
        objects.add(source, _members(source, data))


def of_lines(source: DataFile) -> None:
    """Read one JSON object on each line."""
    objects.check_size(source)
    objects.add(source, _lines(source))


def _members(source: DataFile, data: Mapping[str, object]) -> Iterator[Item]:
    """The values of a JSON object, each with its key in the column that names the rows."""
    line, counted = 1, 0
    for key, value in data.items():
        at = source.text.find(json.dumps(key, ensure_ascii=False), counted)
        if at > counted:
            line, counted = line + source.text.count("\n", counted, at), at
        yield line, objects.keyed(source, key, value)


def _items(source: DataFile, start: int = 0) -> Iterator[Item]:
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
        message, fault_line, column = explained(fault)
        source.wrong(message, fault_line or line, column)


def _past(sign: str, text: str, at: int, otherwise: str) -> int:
    at = _next(text, at)
    if text[at : at + 1] != sign:
        raise json.JSONDecodeError(otherwise, text, at)
    return _next(text, at + 1)


def _next(text: str, at: int) -> int:
    """The index of the next letter that is not blank."""
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _lines(source: DataFile) -> Iterator[Item]:
    for line, match in enumerate(_LINE.finditer(source.text), start=1):
        if (text := match[1]).strip(" \t\r"):
            try:
                yield line, DECODER.decode(text)
            except (ValueError, RecursionError) as fault:
                message, _, column = explained(fault)
                source.wrong(message, line, column)
