"""The usual time of orders, learnt from the last ones, and the schedule of inquiries."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

_LAST: Final = 24
"""The number of last orders that count, because a server may become slower."""

_SURPLUS: Final = 0.995
"""The factor for an order that is ready at the first inquiry: it took less time than measured."""

_SOONER: Final = 8
"""One of so many orders is asked for early, to find a faster server."""
_EARLY: Final = 0.9

_WAITS: Final = (0.005, 0.01, 0.02, 0.04, 0.05)
"""The wait after each inquiry, as a share of the order's age."""

_SELDOM: Final = 5.0
"""Most seconds between two inquiries."""


class Expected(Struct, frozen=True):
    """Seconds until an order is first asked for, and until it is usually ready, if they are known."""

    first: float | None = None
    usual: float | None = None
    spread: float = 0
    """The part of the first wait that is added to it, which spreads orders of unknown pace."""


@dataclass(slots=True)
class UsualTime:
    """The fewest seconds in which one of the last orders was ready."""

    _last: deque[float] = field(default_factory=lambda: deque(maxlen=_LAST), init=False)
    _orders: int = field(default=0, init=False)
    learnt: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set once a time is known."""

    def next(self) -> Expected:
        """The expected time of the next order."""
        self._orders += 1
        usual = min(self._last, default=None)
        if usual is None:
            return Expected(spread=(self._orders - 1) % _SOONER / _SOONER)
        return Expected(usual * (1 if self._orders % _SOONER else _EARLY), usual)

    def known(self) -> Expected:
        """The expected time of an order that was placed before any time was known."""
        usual = min(self._last, default=None)
        return Expected(usual, usual)

    def learn(self, seconds: float, *, at_first: bool) -> None:
        """Note when an order was found ready, and whether it was so when it was first asked for."""
        self._last.append(seconds * _SURPLUS if at_first else seconds)
        self.learnt.set()


def until_next(elapsed: float, expected: Expected, asked: int = 0, least: float = 0.5) -> float:
    """Seconds until a pending order that was asked for so many times is asked for again.

    Asking often burdens the server, and asking seldom delays the build: the wait grows with the
    age of the order. It is not asked for before others were ready, and soon again after that.
    """
    due = expected.usual if asked else expected.first
    if due is None:
        spread = 0 if asked else expected.spread
        return min(_SELDOM, max(least, elapsed / 10) * (1 + spread))
    wait = elapsed * _WAITS[min(asked, len(_WAITS) - 1)]
    return max(due - elapsed, min(_SELDOM, max(least / 25, wait)))
