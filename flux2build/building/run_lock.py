"""The run lock: one build at a time in a tree; a second one waits, and says so."""

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

from flux2build.errors import SystemFault
from flux2build.storage import locks
from flux2build.storage.durable import fault
from flux2build.storage.own_folder import FOLDER, own_folder

_NAP: Final = 0.05
_HOLDER: Final = 4096
"""The most bytes that are read of the holder's description of itself."""


@contextmanager
def held(
    folder: Path, command: str, wait: float | None, say: Callable[[str], object]
) -> Iterator[None]:
    """Keep other builds out of the tree of a spec; the kernel releases the lock if this process dies.

    A build that has to wait calls `say` once with the holder, and waits at most
    `wait` seconds, or as long as it takes if that is None.

    Raises:
        SystemFault: the other build took too long, or the disk does not support locks.
    """
    lock = folder / FOLDER / "lock"
    holder = lock.with_name("holder.json")
    try:
        own_folder(str(folder))
        file = locks.opened(lock)
    except OSError as error:
        raise fault("lock", error.filename or lock, error) from error
    try:
        try:
            _acquire(file, wait, lambda: _describe(holder), say)
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
    file: int, wait: float | None, describe: Callable[[], str], say: Callable[[str], object]
) -> None:
    if locks.try_lock(file):
        return
    say(f"waiting for {describe()}")
    start = time.monotonic()
    while not locks.try_lock(file):
        # Negated, because every comparison with NaN is false: it must end the wait, too.
        if wait is not None and not time.monotonic() - start < wait:
            raise SystemFault(
                f"waited {wait:g} s for {describe()}",
                hint="let it finish, or wait longer with `--lock-timeout SECONDS`",
            )
        time.sleep(_NAP)


def _sign(holder: Path, command: str) -> None:
    """Write the lock's holder for people; a failure to write it is harmless."""
    since = datetime.now().astimezone()
    holder_facts = {"pid": os.getpid(), "host": socket.gethostname(), "command": command}
    with suppress(OSError):
        holder.unlink(missing_ok=True)
        file = os.open(holder, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            json.dump({**holder_facts, "since": since.isoformat(timespec="seconds")}, opened)


def _describe(holder: Path) -> str:
    """Describe the build that holds the lock, as far as the file is readable."""
    try:
        file = os.open(holder, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(file, "rb") as opened:
            facts = json.loads(opened.read(_HOLDER))
        since = datetime.fromisoformat(facts["since"]).strftime("%H:%M")
        command, host = _plain(facts["command"]), _plain(facts["host"])
        return f"another build: pid {int(facts['pid'])} on {host}, `{command}`, since {since}"
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return "another build"


def _plain(text: object) -> str:
    """The text without characters that could move a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in str(text))[:200]


def _lockless(folder: Path) -> SystemFault:
    return SystemFault(
        f"files on the disk of `{folder}` cannot be locked, so two builds could pay twice",
        hint="put the project on a local disk; `check` and `plan` work where it is",
    )
