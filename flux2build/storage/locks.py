"""Locks that the kernel holds, and lets go when their process dies; there is no lease to expire."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":  # pragma: no cover - the other branch is the one tested
    import msvcrt

    def try_lock(file: int) -> bool:
        """Lock an open file unless someone else holds it."""
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def lock(file: int) -> None:
        """Lock an open file, however long that takes."""
        while not try_lock(file):
            pass

    def share(file: int) -> None:
        """Windows has no locks to be shared: here nobody keeps anybody out."""

else:
    import fcntl

    def try_lock(file: int) -> bool:
        """Lock an open file unless someone else holds it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lock(file: int) -> None:
        """Lock an open file, however long that takes."""
        fcntl.flock(file, fcntl.LOCK_EX)

    def share(file: int) -> None:
        """Hold a lock together with others, against whoever wants it alone."""
        fcntl.flock(file, fcntl.LOCK_SH)


def opened(path: Path, mode: int = 0o666) -> int:
    """A lock's file, made if it is missing; never through a link, never deleted.

    Closing it lets the lock go.
    """
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    return os.open(path, flags, mode)


def keeps_out(path: Path) -> bool:
    """Whether a lock that is held keeps others out; on some network disks it does not."""
    second = opened(path)
    try:
        return not try_lock(second)
    finally:
        os.close(second)
