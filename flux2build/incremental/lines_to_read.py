"""Chooses the lines of data files to read after an edit, if each line is a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from flux2build.assetspec.excerpts import excerpts, first_of, lines_with
from flux2build.incremental import traces
from flux2build.session.project import Project

Lines = tuple[str, str, str]
"""The old and the new version of the lines that differ, each below the header; then the whole text."""


def lines_to_read(
    project: Project, trace: traces.Contents, changed: Mapping[str, str]
) -> dict[str, Lines]:
    """Return the old and new lines of data files that differ; nothing if all must be read.

    For an unchanged file it is the first row, which shows what is made of a row.
    """
    before, lines = trace["texts"], dict[str, Lines]()
    if changed.keys() <= trace["templates"].keys():
        return _lines_of(trace, changed)
    sources = before.keys() | trace["specs"].keys()
    if not before or not changed.keys() <= sources - trace["templates"].keys():
        return {}
    # Lazy: data files are for the specs that have rows.
    from flux2build.assetspec import rows

    for path, text in before.items():
        now = rows.text_of(project.tree, path) if path in changed else text
        differing = excerpts(text, now) if path in changed else (first_of(text),) * 2
        if differing is None:
            return {}
        lines[path] = *differing, now
    return lines


def _lines_of(trace: traces.Contents, templates: Iterable[str]) -> dict[str, Lines]:
    """The lines of data files for the assets of some templates; nothing if there are too many."""
    values, lines = set[str](), dict[str, Lines]()
    for name in chain.from_iterable(trace["templates"][path] for path in templates):
        axes = name.partition("[")[2].removesuffix("]").split(",")
        values.update(axis.partition("=")[2] for axis in axes)
    for path, text in trace["texts"].items():
        if (excerpt := lines_with(text, values)) is None:
            return {}
        lines[path] = excerpt, excerpt, text
    return lines
