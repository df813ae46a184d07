"""A mapping with the changes of a build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Since(Mapping[K, V]):
    """A build's own changes first, then the earlier values, which may take long to read."""

    def __init__(self, before: Mapping[K, V]) -> None:
        self._before, self._changes = before, dict[K, V | None]()

    def __getitem__(self, key: K) -> V:
        if key not in self._changes:
            return self._before[key]
        if (value := self._changes[key]) is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        self._changes[key] = value

    def take_away(self, key: K) -> None:
        """Remove what there is of a key, if anything."""
        self._changes[key] = None

    def __iter__(self) -> Iterator[K]:
        changes = {**dict.fromkeys(self._before, True), **self._changes}
        return (key for key, value in changes.items() if value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
