"""What Ctrl-C means to a build: first an end in good order, then an end at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_GRACE: Final = {signal.SIGINT: 60.0, signal.SIGTERM: 8.0}
"""Seconds for what is under way; whoever sends SIGTERM kills after some ten."""

_SAID: Final = (
    "\ninterrupted: nothing more is begun, what is under way is finished; Ctrl-C again ends at once"
)


@contextmanager
def heeded(halt: asyncio.Event, say: Callable[[str], None]) -> Iterator[None]:
    """Let the first signal set `halt`, and a second one, or too long a wait, cancel this task.

    A picture that is paid for can be had for minutes only: it is collected now
    rather than by a later build. Where a loop knows no signals (on Windows, or
    beside the main thread) the first Ctrl-C cancels.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    timers: list[asyncio.TimerHandle] = []

    def heed(grace: float) -> None:
        if halt.is_set():
            task.cancel()
            return
        halt.set()
        say(_SAID)
        timers.append(loop.call_later(grace, task.cancel))

    set_up: list[signal.Signals] = []
    try:
        for number, grace in _GRACE.items():
            loop.add_signal_handler(number, heed, grace)
            set_up.append(number)
    except (NotImplementedError, RuntimeError, ValueError):
        pass
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        for number in set_up:
            loop.remove_signal_handler(number)
