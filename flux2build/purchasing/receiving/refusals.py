"""Reports refused messages, in this program's words, and not for each attempt of a stranger."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_SELDOM: Final = 60.0
"""Seconds before the same message is repeated."""


@dataclass(slots=True)
class Refusals:
    """The refusals: each reason is reported at once, and then at most once a minute."""

    say: Callable[[str], None]
    now: Callable[[], float] = time.monotonic
    _reports: dict[str, tuple[float, int]] = field(default_factory=dict, init=False)
    """The time of the last report of each reason, and its number of occurrences since."""

    def note(self, reason: str) -> None:
        """Report a refusal; there are few reasons, without text from strangers."""
        last, since = self._reports.get(reason, (-math.inf, 0))
        if (now := self.now()) - last < _SELDOM:
            self._reports[reason] = last, since + 1
            return
        more = f" ({since} more since it was said last)" if since else ""
        self._reports[reason] = now, 0
        self.say(f"not heard: {reason}{more}")
