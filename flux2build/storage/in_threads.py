"""Looking at many files in threads: reading and hashing let the others work."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def in_threads(look: Callable[[str], T], paths: Sequence[str]) -> dict[str, T]:
    """Return what there is to be seen at each path."""
    count = min(os.cpu_count() or 1, 8)

    def part(start: int) -> list[tuple[str, T]]:
        return [(path, look(path)) for path in paths[start::count]]

    with ThreadPoolExecutor(count) as threads:
        return dict(row for rows in threads.map(part, range(count)) for row in rows)
