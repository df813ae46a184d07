"""Looks at many files at once: at large ones in threads, while hashing releases the GIL."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

LARGE: Final = 128 * 1024
"""The size in bytes from which on a file is worth a thread."""


def in_threads(look: Callable[[str], T], paths: Sequence[str]) -> dict[str, T]:
    """Return the result of looking at each path."""
    # Lazy: most projects have small files only.
    from concurrent.futures import ThreadPoolExecutor

    count = min(os.cpu_count() or 1, 8)

    def part(start: int) -> list[tuple[str, T]]:
        return [(path, look(path)) for path in paths[start::count]]

    with ThreadPoolExecutor(count) as threads:
        return dict(row for rows in threads.map(part, range(count)) for row in rows)


def observed(
    observe: Callable[[str, None, int | None], T], folder: str, paths: Sequence[str], later: T
) -> dict[str, T]:
    """Return the state of each path in a folder.

    What is `observe`d is `later` for a file that is not smaller than the number of bytes it is given.
    """
    before = "" if folder == str(Path.cwd()) else f"{folder}/"
    rows = {path: observe(before + path, None, LARGE) for path in paths}
    if large := [path for path, row in rows.items() if row is later]:
        rows |= in_threads(lambda path: observe(before + path, None, None), large)
    return rows
