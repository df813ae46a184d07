"""Locks that the kernel releases when their process dies, so no lease has to expire."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":  # pragma: no cover - the other branch is the one tested
    import msvcrt

    def try_lock(file: int) -> bool:
        """Lock an open file unless another process holds it; return whether it is locked now."""
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def lock(file: int) -> None:
        """Lock an open file, waiting as long as it takes."""
        while not try_lock(file):
            pass

    def share(file: int) -> None:
        """Do nothing: Windows has no shared locks."""

    def release(file: int) -> None:
        """Close a file, and so release its lock."""
        os.close(file)

else:
    import fcntl

    def try_lock(file: int) -> bool:
        """Lock an open file unless another process holds it; return whether it is locked now."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lock(file: int) -> None:
        """Lock an open file, waiting as long as it takes."""
        fcntl.flock(file, fcntl.LOCK_EX)

    def share(file: int) -> None:
        """Share a lock with other processes, and keep out those that want it exclusively."""
        fcntl.flock(file, fcntl.LOCK_SH)

    def release(file: int) -> None:
        """Release a lock and close its file; a process that was just forked has it open, too."""
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def opened(path: Path, mode: int = 0o666) -> int:
    """Open a lock's file, created if missing; links are not followed, and it is never deleted.

    Closing the file releases the lock.
    """
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    return os.open(path, flags, mode)


def keeps_out(path: Path) -> bool:
    """Whether a held lock keeps others out; on some network disks it does not."""
    second = opened(path)
    try:
        return not try_lock(second)
    finally:
        os.close(second)
