"""Asks a store several questions at once, because each one takes a round trip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")

_AT_ONCE: Final = 16


def answers(ask: Callable[[Item], T], items: Iterable[Item]) -> Iterator[tuple[Item, T]]:
    """The answer about each item, in order; the first failure ends the others."""
    unique = list(dict.fromkeys(items))
    if not unique:
        return
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        try:
            yield from zip(unique, threads.map(ask, unique), strict=True)
        except BaseException:  # Ctrl-C, too: the other answers are not needed any more
            threads.shutdown(wait=False, cancel_futures=True)
            raise
