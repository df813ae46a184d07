"""The event loop of a build; it ends with the build, even if a name server does not answer."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")

if sys.platform == "win32":
    _Base = asyncio.ProactorEventLoop
else:
    _Base = asyncio.SelectorEventLoop


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a build to its end."""
    with kept() as runner:
        return runner.run(work)


def kept() -> asyncio.Runner:
    """A runner for several builds, one after the other, until it is closed."""
    return asyncio.Runner(loop_factory=_Loop)


class _Loop(_Base):
    """Looks names up in threads that nothing waits for.

    A lookup cannot be interrupted, and a loop waits at its end for the threads of its own.
    """

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """The result of `socket.getaddrinfo`, or its error."""
        answer: Future[Any] = Future()
        lookup = threading.Thread(target=_look_up, args=(answer, host, port, options), daemon=True)
        lookup.start()
        return await asyncio.wrap_future(answer, loop=self)


def _look_up(answer: Future[Any], host: Any, port: Any, options: dict[str, Any]) -> None:
    """Look a name up, unless nothing waits for it any more."""
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(socket.getaddrinfo(host, port, **options))
    except OSError as error:
        answer.set_exception(error)
