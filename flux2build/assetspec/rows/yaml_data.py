"""Records from YAML: a list of objects, or an object for each row."""

from __future__ import annotations

from flux2build.assetspec import strict_yaml
from flux2build.assetspec.rows import objects
from flux2build.assetspec.rows.data_file import DataFile


def of_yaml(source: DataFile) -> None:
    """Read the objects of one list in YAML, also inside of an object; or of one object, by their keys."""
    try:
        data, lines = strict_yaml.parsed(source.text)
    except strict_yaml.YamlFaultError as fault:
        source.wrong(fault.message, fault.line, fault.column, fault.hint)
        return
    only = next(iter(data.values())) if isinstance(data, dict) and len(data) == 1 else None
    items = data if isinstance(data, list) else only
    if isinstance(items, list):
        objects.add(source, ((lines.get(id(item), 1), item) for item in items))
    elif not isinstance(data, dict):
        hint = "such as `- sku: A1` for each row"
        source.wrong("a data file in YAML holds a list of objects", 1, hint=hint)
    elif source.is_row:
        objects.add_row(source, data)
    else:
        tables = only if isinstance(only, dict) and objects.are_objects(only) else data
        objects.add(
            source,
            (
                (lines.get(id(value), 1), objects.keyed(source, key, value))
                for key, value in tables.items()
            ),
        )
