"""One build at a time in a tree: the second one waits, and says for whom."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from flux2build.errors import Problem, SystemFault
from flux2build.storage import locks
from flux2build.storage.durable import fault
from flux2build.storage.index import FOLDER, own_folder

_NAP: Final = 0.05
_HOLDER: Final = 4096
"""Most bytes that are read of what a holder says about itself."""


@contextmanager
def held(
    folder: Path, command: str, wait: float | None, told: Callable[[str], object]
) -> Iterator[None]:
    """Keep other builds out of the tree of a spec; the kernel lets go if this process dies.

    Whoever has to wait is `told` once for whom, and waits `wait` seconds at
    most; without a number, as long as it takes.

    Raises:
        SystemFault: the other build took too long, or locks do not work here.
    """
    lock = folder / FOLDER / "lock"
    holder = lock.with_name("holder.json")
    try:
        own_folder(str(folder))
        file = locks.opened(lock)
    except OSError as error:
        raise fault("lock", lock, error) from error
    try:
        try:
            _acquire(file, wait, lambda: _describe(holder), told)
            works = locks.keeps_out(lock)
        except OSError as error:
            raise _lockless(folder) from error
        if not works:
            raise _lockless(folder)
        _sign(holder, command)
        yield
        with suppress(OSError):
            holder.unlink()
    finally:
        os.close(file)


def _acquire(
    file: int, wait: float | None, whom: Callable[[], str], told: Callable[[str], object]
) -> None:
    if locks.try_lock(file):
        return
    told(f"waiting for {whom()}")
    start = time.monotonic()
    while not locks.try_lock(file):
        # Turned around, so that what is no number is no wait either.
        if wait is not None and not time.monotonic() - start < wait:
            raise SystemFault(
                Problem(
                    f"waited {wait:g} s for {whom()}",
                    hint="let it finish, or wait longer with `--lock-timeout SECONDS`",
                )
            )
        time.sleep(_NAP)


def _sign(holder: Path, command: str) -> None:
    """Say who holds the lock; only ever shown, so a failure to say it stops nothing."""
    since = datetime.now().astimezone()
    words = {"pid": os.getpid(), "host": socket.gethostname(), "command": command}
    with suppress(OSError):
        holder.unlink(missing_ok=True)
        file = os.open(holder, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            json.dump({**words, "since": since.isoformat(timespec="seconds")}, opened)


def _describe(holder: Path) -> str:
    """The build that holds the lock, as far as it said who it is."""
    try:
        file = os.open(holder, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(file, "rb") as opened:
            found = json.loads(opened.read(_HOLDER))
        since = datetime.fromisoformat(found["since"]).strftime("%H:%M")
        command, host = _plain(found["command"]), _plain(found["host"])
        return f"another build: pid {int(found['pid'])} on {host}, `{command}`, since {since}"
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return "another build"


def _plain(text: object) -> str:
    """Text that cannot move a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in str(text))[:200]


def _lockless(folder: Path) -> SystemFault:
    return SystemFault(
        Problem(
            f"files on the disk of `{folder}` cannot be locked, so two builds could pay twice",
            hint="put the project on a local disk; `check` and `plan` work where it is",
        )
    )
