"""Records from TOML: one array of tables, or a table for each row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

from flux2build.assetspec.rows import objects
from flux2build.assetspec.rows.data_file import DataFile
from flux2build.errors import SpecError
from flux2build.storage import toml_text


def of_toml(source: DataFile) -> None:
    """Read the tables of one array in TOML, or the tables in one table by their keys."""
    objects.check_size(source)
    try:
        data = toml_text.parsed(source.text, source.file)
    except SpecError as error:
        source.records.problems.extend(error.problems)
        return
    name, only = next(iter(data.items())) if len(data) == 1 else ("", None)
    if isinstance(only, list):
        lines = chain(_headers(source.text, name), repeat(1))
        objects.add(source, zip(lines, only, strict=False))
        return
    if source.is_row:
        objects.add_row(source, data)
        return
    tables = only if isinstance(only, dict) and objects.are_objects(only) else data
    if not objects.are_objects(tables):
        hint = "such as `[[product]]` for each row"
        source.wrong("a data file in TOML holds one array of tables", 1, hint=hint)
        return
    objects.add(source, ((1, objects.keyed(source, *each)) for each in tables.items()))


def _headers(text: str, name: str) -> Iterator[int]:
    """The lines of the headers of an array of tables."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("[[") and line[2:].partition("]")[0].strip() == name:
            yield number
