"""Repeatable random numbers: the same token always gives the same numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_BYTES = 4
_WHOLE = 1 << 8 * _BYTES


class RandomSource:
    """A stream of numbers that depends on its token alone, on every machine."""

    def __init__(self, token: str) -> None:
        self._root = hashlib.sha256(token.encode(errors="replace")).digest()
        self._block = 0
        self._unread = b""

    def fork(self, name: str) -> RandomSource:
        """Return an independent stream, so that the numbers of one part never shift another's."""
        return RandomSource(f"{self._root.hex()}/{name}")

    def unit(self) -> float:
        """Return a number from 0 up to, but not including, 1."""
        if not self._unread:
            self._unread = hashlib.sha256(self._root + self._block.to_bytes(4, "big")).digest()
            self._block += 1
        head, self._unread = self._unread[:_BYTES], self._unread[_BYTES:]
        return int.from_bytes(head, "big") / _WHOLE

    def between(self, low: float, high: float) -> float:
        """Return a number between two others."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return low + int(self.unit() * (high - low + 1))

    def flip(self, probability: float = 0.5) -> bool:
        """Return True with the given probability."""
        return self.unit() < probability

    def sign(self) -> int:
        """Return 1 or -1."""
        return 1 if self.flip() else -1

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.whole(0, len(options) - 1)]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """Return all the options in random order."""
        rolls = [(self.unit(), index) for index in range(len(options))]
        return [options[index] for _, index in sorted(rolls)]

    def weighted(self, weights: Sequence[tuple[T, float]]) -> T:
        """Return one of the options, each with a probability proportional to its weight."""
        rest = self.unit() * sum(weight for _, weight in weights)
        for option, weight in weights:
            rest -= weight
            if rest < 0:
                return option
        return weights[-1][0]
