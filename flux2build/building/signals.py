"""Signals during a build: the first Ctrl-C ends it in order, the second one at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_GRACE: Final = {signal.SIGINT: 60.0, signal.SIGTERM: 8.0}
"""Seconds to finish work in progress; process managers kill about 10 s after SIGTERM."""

_MESSAGE: Final = (
    "interrupted: nothing more is begun, what is under way is finished; Ctrl-C again ends at once"
)


@contextmanager
def heeded(halt: asyncio.Event, say: Callable[[str], None]) -> Iterator[asyncio.Event]:
    """Let the first signal set `halt`; a second one, or too long a wait, cancels this task.

    A provider keeps a picture for minutes only, so paid pictures are collected now
    rather than by a later build. Where the loop has no signal handlers (on Windows,
    or outside the main thread) the first Ctrl-C cancels. The event tells whether there was one.
    """
    signalled = asyncio.Event()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    timers: list[asyncio.TimerHandle] = []

    def heed(grace: float) -> None:
        if halt.is_set():
            task.cancel()
            return
        halt.set()
        signalled.set()
        say("")  # below the `^C` that the terminal showed
        say(_MESSAGE)
        timers.append(loop.call_later(grace, task.cancel))

    set_up: list[signal.Signals] = []
    try:
        for number, grace in _GRACE.items():
            loop.add_signal_handler(number, heed, grace)
            set_up.append(number)
    except (NotImplementedError, RuntimeError, ValueError):
        pass
    try:
        yield signalled
    finally:
        for timer in timers:
            timer.cancel()
        for number in set_up:
            loop.remove_signal_handler(number)
