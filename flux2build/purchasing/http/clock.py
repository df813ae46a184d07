"""Time for the client: a clock that tests replace, limits, and how long to wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final, Protocol

from msgspec import Struct

from flux2build.errors import Problem, UsageError, did_you_mean
from flux2build.storage.toml_file import TomlFile


class Clock(Protocol):
    """A monotonic clock, and a way to wait."""

    def now(self) -> float:
        """Seconds since an arbitrary moment."""

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""


class Monotonic:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        await asyncio.sleep(seconds)


async def sleep_until(event: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Wait that many seconds, or until an event if that comes sooner."""
    waits = [asyncio.ensure_future(each) for each in (clock.sleep(seconds), event.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


class Limits(Struct, frozen=True):
    """The limits of the client, in seconds and bytes."""

    posts: int = 4
    """Orders that may wait for the server's answer at once: as many as a crash can put in doubt."""
    in_flight: int | None = None
    """Most orders pending at once, instead of the provider's own number."""
    connect: float = 10
    answer: float = 120
    """For the answer to an order; a gateway may render before it answers."""
    reply: float = 30
    """For any other answer."""
    deadline: float = 900
    """For a picture to be ready, and for a busy server to accept an order."""
    reply_bytes: int = 2**20
    picture_bytes: int = 64 * 2**20
    picture_seconds: float = 120
    picture_rate: int = 8 * 1024
    """Fewest bytes a second; a slower download is given up."""
    attempts: int = 5
    """How often a connection, an upload or a download is tried."""
    wait: float = 0.5
    """Seconds before the first retry or inquiry; later waits are longer."""


def limits(table: Mapping[str, Any], file: TomlFile, in_flight: int | None = None) -> Limits:
    """The defaults, overridden by a user's table, overridden by `in_flight`.

    Raises:
        UsageError: with one problem for each limit that does not exist, or is not a valid number.
    """
    wrong = {name: fault for name, value in table.items() if (fault := _wrong(name, value))}
    if wrong:
        raise UsageError(
            *(
                file.located(Problem(text, hint=hint), ("limits", name), name=name not in _LIMITS)
                for name, (text, hint) in wrong.items()
            )
        )
    return Limits(**{**table, **({"in_flight": in_flight} if in_flight else {})})


def _wrong(name: str, value: object) -> tuple[str, str | None] | None:
    """The problem of one limit, and a hint."""
    if name not in _LIMITS:
        return f"there is no limit `{name}`", did_you_mean(name, _LIMITS)
    whole = isinstance(value, int) and not isinstance(value, bool)
    number = whole or (isinstance(value, float) and isfinite(value) and name not in _COUNTS)
    if number and value > 0:  # type: ignore[operator]  # it is a number
        return None
    kind = "a whole number" if name in _COUNTS else "a number"
    return f"limit `{name}` is {kind} above 0, not {value!r}", None


@dataclass(slots=True)
class Patience:
    """Tells a person about long waits, once for everything that waits."""

    clock: Clock
    say: Callable[[str], None]
    _since: float | None = field(default=None, init=False)
    """The time when the trouble began."""
    _told_until: float | None = field(default=None, init=False)

    def tell(self, reason: str, again: float, until: float | None) -> None:
        """Say why something is retried, and when it will be given up."""
        now = self.clock.now()
        self._since = now if self._since is None else self._since
        if again - self._since < _MOMENT or (self._told_until or now) > now:
            return
        self._told_until = max(again, now + _SELDOM)
        end = "" if until is None else f", and given up after {span(max(0, until - now))}"
        self.say(f"{reason}: tried again in {span(again - now)}{end}")

    def over(self) -> None:
        """Note that the server answers again."""
        self._since = self._told_until = None


_MOMENT: Final = 5.0
"""Seconds of waiting that need no explanation."""
_SELDOM: Final = 30.0
"""Seconds before the same message is repeated."""


def span(seconds: float) -> str:
    """A time for people."""
    if seconds >= 120:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds:.0f} seconds" if seconds >= 2 else f"{seconds:.2g} seconds"


_LIMITS: Final = frozenset(Limits.__struct_fields__)
_COUNTS: Final = frozenset({"posts", "in_flight", "attempts", "reply_bytes", "picture_bytes"})

LONGEST: Final = 120.0
"""Most seconds to wait for one `Retry-After`."""

_GRACE: Final = 10.0
"""Seconds before a download's rate is judged."""


def backoff(attempt: int, jitter: float, first: float = 0.5, most: float = 30.0) -> float:
    """Seconds before attempt `attempt` (from 1) is repeated; `jitter` from 0 to 1 spreads clients."""
    return min(most, first * 2.0 ** (attempt - 1)) * (0.5 + jitter / 2)


def too_slow(received: int, elapsed: float, limits: Limits) -> bool:
    """Whether a download should be given up."""
    crawls = elapsed > _GRACE and received < elapsed * limits.picture_rate
    return crawls or elapsed > limits.picture_seconds
