"""Chance that repeats itself: the same token always rolls the same numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_BYTES = 4
_WHOLE = 1 << 8 * _BYTES


class Chance:
    """A stream of numbers that depends on its token alone, on every machine."""

    def __init__(self, token: str) -> None:
        self._root = hashlib.sha256(token.encode(errors="replace")).digest()
        self._block = 0
        self._left = b""

    def fork(self, name: str) -> Chance:
        """An independent stream, so that one part's rolls never move another's."""
        return Chance(f"{self._root.hex()}/{name}")

    def unit(self) -> float:
        """A number from 0 up to, and without, 1."""
        if not self._left:
            self._left = hashlib.sha256(self._root + self._block.to_bytes(4, "big")).digest()
            self._block += 1
        head, self._left = self._left[:_BYTES], self._left[_BYTES:]
        return int.from_bytes(head, "big") / _WHOLE

    def between(self, low: float, high: float) -> float:
        """A number between two others."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.unit() * (high - low + 1))

    def flip(self, likely: float = 0.5) -> bool:
        """True as often as `likely` says."""
        return self.unit() < likely

    def sign(self) -> int:
        """1 or -1."""
        return 1 if self.flip() else -1

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.whole(0, len(options) - 1)]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """All the options in another order."""
        rolls = [(self.unit(), index) for index in range(len(options))]
        return [options[index] for _, index in sorted(rolls)]

    def weighted(self, weights: Sequence[tuple[T, float]]) -> T:
        """One of the options, each as likely as its weight."""
        left = self.unit() * sum(weight for _, weight in weights)
        for option, weight in weights:
            left -= weight
            if left < 0:
                return option
        return weights[-1][0]
