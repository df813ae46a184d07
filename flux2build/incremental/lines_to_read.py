"""Which lines of data files are read after an edit, where each line is a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from flux2build.assetspec.excerpts import excerpts, first_of, lines_with
from flux2build.incremental import traces
from flux2build.session.project import Project

Lines = tuple[str, str, str]
"""The lines of a file that differ, as they were and as they are, each below its header; then all of it."""


def lines_to_read(
    project: Project, trace: traces.Contents, changed: Mapping[str, str]
) -> dict[str, Lines]:
    """Return the lines of data files that differ, as they were and as they are; nothing if all must be read.

    Of a file that is the same it is the first row, to know what is made of each.
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
    """The lines of data files that may be rows of what templates make; nothing if these are not few."""
    values, lines = set[str](), dict[str, Lines]()
    for name in chain.from_iterable(trace["templates"][path] for path in templates):
        axes = name.partition("[")[2].removesuffix("]").split(",")
        values.update(axis.partition("=")[2] for axis in axes)
    for path, text in trace["texts"].items():
        if (excerpt := lines_with(text, values)) is None:
            return {}
        lines[path] = excerpt, excerpt, text
    return lines
