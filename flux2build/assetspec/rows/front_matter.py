"""The record of a page in Markdown or MDX: its front matter in YAML or TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from flux2build.assetspec import strict_yaml
from flux2build.assetspec.rows import objects
from flux2build.assetspec.rows.data_file import DataFile
from flux2build.errors import SpecError
from flux2build.storage import toml_text
from flux2build.storage.text_files import refuse_conflict

_START: Final = re.compile(r"(---|\+\+\+)[ \t]*\n")
_UNSEEN: Final = r"[\s\u200b\u2060\ufeff]*"
_MISPLACED: Final = re.compile(rf"{_UNSEEN}(---|\+\+\+){_UNSEEN}$", re.MULTILINE)
"""A fence that is void because of blank lines or invisible characters before it."""
_ENDS: Final = {
    "---": re.compile(r"^---[ \t]*$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE),
}


def of_page(source: DataFile) -> None:
    """Read the front matter of a page as one row; a page without any has only its own cells."""
    start = _START.match(source.text)
    if start is None:
        if misplaced := _MISPLACED.match(source.text):
            fence, line = misplaced[1], source.text.count("\n", 0, misplaced.start(1)) + 1
            message = f"front matter starts with `{fence}` alone on the first line"
            source.wrong(
                message, line, hint="take away what stands before or behind it, seen or not"
            )
        else:
            objects.add_row(source, {})
        return
    end = _ENDS[start[1]].search(source.text, start.end())
    if end is None:
        source.wrong(f"the front matter has no closing `{start[1]}`", 1)
        return
    text = source.text[start.end() : end.start()]
    refuse_conflict(text, source.file, above=1)
    cells = _of_yaml(source, text) if start[1] == "---" else _of_toml(source, text)
    if cells is not None:
        objects.add_row(source, cells)


def _of_yaml(source: DataFile, text: str) -> Mapping[str, object] | None:
    try:
        data, _ = strict_yaml.parsed(text)
    except strict_yaml.YamlFaultError as fault:
        source.wrong(fault.message, fault.line + 1, fault.column, fault.hint)
        return None
    if data is None:
        return {}
    if not isinstance(data, dict):
        hint = "write `title: …` for each of its values"
        source.wrong("front matter is an object of keys and values", 2, hint=hint)
        return None
    return data


def _of_toml(source: DataFile, text: str) -> Mapping[str, object] | None:
    try:
        return toml_text.parsed(text, source.file)
    except SpecError as error:
        for problem in error.problems:
            place = replace(problem.place, line=problem.place.line + 1) if problem.place else None
            source.records.problems.append(replace(problem, place=place))
        return None
