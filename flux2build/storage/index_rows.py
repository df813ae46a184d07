"""The rows of an index beside the files that they are about."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from flux2build.storage.index_packed import ATTRIBUTES

Row = tuple[str, int, int, int, int]

_UNKNOWN: Final = ("", 0, 0, 0, 0)


def doubtful(folder: str, rows: Mapping[str, Row], states: Mapping[str, str]) -> list[str]:
    """Return the paths whose attributes do not prove that they are files in these very states.

    Asking for the attributes of thousands takes longer than to look at each of the others.
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
    """Return paths in the order in which they are looked at: those first that lie with few others.

    What people write is found before what is made of it, and a reference before thousands of prompts.
    """
    beside = {path: path.rpartition("/")[0] for path in sorted(paths)}
    sizes = Counter(beside.values())
    return sorted(beside, key=lambda path: sizes[beside[path]])
