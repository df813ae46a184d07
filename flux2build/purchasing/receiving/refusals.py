"""Says what is not heard, in our own words, and not for each time that a stranger tries."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_SELDOM: Final = 60.0
"""Seconds before the same is said again."""


@dataclass(slots=True)
class Refusals:
    """What was refused: each reason is said at once, and then once a minute at most."""

    say: Callable[[str], None]
    now: Callable[[], float] = time.monotonic
    _told: dict[str, tuple[float, int]] = field(default_factory=dict, init=False)
    """When each reason was said last, and how often it was met since."""

    def note(self, reason: str) -> None:
        """Say why something is not heard; the reasons are few, and none holds a stranger's text."""
        last, since = self._told.get(reason, (-math.inf, 0))
        if (now := self.now()) - last < _SELDOM:
            self._told[reason] = last, since + 1
            return
        more = f" ({since} more since it was said last)" if since else ""
        self._told[reason] = now, 0
        self.say(f"not heard: {reason}{more}")
