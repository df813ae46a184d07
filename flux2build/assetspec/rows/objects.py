"""Records from objects of JSON, YAML or TOML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from flux2build.assetspec.rows.data_file import DataFile, normal
from flux2build.assetspec.validation_errors import kind_of
from flux2build.storage.text_files import without_texts

_MOST_OBJECTS: Final = 500_000
_MOST_VALUES: Final = 2_000_000
Item = tuple[int, object]
"""The line on which a value starts, and the value."""


def add(source: DataFile, items: Iterable[Item]) -> None:
    """Add a record for each object."""
    for line, item in items:
        if not isinstance(item, dict):
            kind = "null" if item is None else kind_of(item)
            source.wrong(f"every item must be an object, this is {kind}", line)
            continue
        trimmed = {normal(str(column)): _trimmed(value) for column, value in item.items()}
        if len(trimmed) < len(item):
            source.wrong("two fields of this object have the same name", line)
        source.records.columns.update(trimmed)
        filled = {name: value for name, value in trimmed.items() if value not in (None, "")}
        source.add(line, filled)


def add_row(source: DataFile, cells: Mapping[str, object]) -> None:
    """Add the one record of a file that is one row."""
    source.records.whole.add(source.file)
    filled = {name: value for name, value in cells.items() if value is not None}
    add(source, [(1, {**dict.fromkeys(cells), **source.own, **filled})])


def keyed(source: DataFile, key: str, value: object) -> object:
    """An object with the key under which it stands as its first cell."""
    return {source.key: key, **value} if isinstance(value, dict) and source.key else value


def are_objects(table: Mapping[str, object]) -> bool:
    """Whether an object holds objects, and nothing else."""
    return {type(value) for value in table.values()} == {dict}


def check_size(source: DataFile) -> None:
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
