"""Compares the rows of an index with the files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from flux2build.storage.index_packed import ATTRIBUTES

Row = tuple[str, int, int, int, int]

_UNKNOWN: Final = ("", 0, 0, 0, 0)


def doubtful(folder: str, rows: Mapping[str, Row], states: Mapping[str, str]) -> list[str]:
    """Return the paths whose attributes do not prove that they are files in these states.

    Stating thousands takes longer than looking at each of the others.
    """
    certain = [
        path
        for path, state in states.items()
        if (row := rows.get(path, _UNKNOWN))[2] and row[0] == state and not path.endswith("/")
    ]
    try:
        here = folder == os.getcwd()
        whole = certain if here else [os.path.join(folder, path) for path in certain]
        now = [*map(ATTRIBUTES, map(os.stat, whole))]
    except OSError:
        return [*states]
    same = {path for path, each in zip(certain, now, strict=True) if each == rows[path][1:]}
    return [path for path in states if path not in same]


def in_order(paths: Iterable[str]) -> list[str]:
    """Return paths in the order of looking at them: first those in folders with few others.

    So files that people write come before outputs, and a reference before thousands of prompts.
    """
    beside = {path: path.rpartition("/")[0] for path in sorted(paths)}
    sizes = Counter(beside.values())
    return sorted(beside, key=lambda path: sizes[beside[path]])
