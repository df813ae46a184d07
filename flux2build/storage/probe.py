"""Proves that files can be written before pictures are bought; leaves nothing behind."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from flux2build.errors import SystemFault
from flux2build.storage import durable

_PREFIX: Final = f"{durable.TEMPORARY}probe-"
_BLOCK: Final = b"\0" * 4096
_OPEN: Final = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_IN_THE_WAY: Final = frozenset({errno.EPERM, errno.EISDIR, errno.EROFS})
"""The errors of a path that cannot be replaced: it is immutable, or a folder."""


def takes_files(folder: Path) -> None:
    """Prove that a folder takes new files; while it is missing, the nearest one above it.

    Raises:
        SystemFault: it does not.
    """
    try:
        existing = _existing(folder)
        for abandoned in existing.glob(f"{_PREFIX}*.tmp"):
            with suppress(OSError):  # another build may have it open
                abandoned.unlink()
        path = existing / f"{_PREFIX}{os.urandom(8).hex()}.tmp"
        try:
            durable.write_new(path, _BLOCK)
        finally:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise durable.fault("write to", folder, error) from error


def takes_bytes(path: Path) -> None:
    """Prove that bytes can be added to a file, if there is one.

    Raises:
        SystemFault: they cannot.
    """
    try:
        os.close(os.open(path, _OPEN | os.O_APPEND))
    except FileNotFoundError:
        return
    except OSError as error:
        raise durable.fault("write", path, error) from error


def can_be_replaced(path: Path) -> None:
    """Prove that nothing stands in the way of replacing a file, if there is one.

    Raises:
        SystemFault: it is immutable, or a folder.
    """
    try:
        os.close(os.open(path, _OPEN | getattr(os, "O_NOFOLLOW", 0)))
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise durable.fault("write", path, error) from error


def have_room(folders: Iterable[Path], needed: int) -> None:
    """Prove that there is room for so many bytes in each of some folders, as far as their disks tell.

    Raises:
        SystemFault: there is not.
    """
    # Lazy: nothing else of this room needs `shutil`, and only a build that buys asks for room.
    import shutil

    needs, rooms = Counter[int](), dict[int, tuple[Path, int]]()
    for folder in folders:
        try:
            existing = _existing(folder)
            disk, usage = existing.stat().st_dev, shutil.disk_usage(existing)
        except OSError as error:
            raise durable.fault("write to", folder, error) from error
        needs[disk] += needed
        if usage.total:
            rooms[disk] = folder, usage.free
    for disk, (folder, free) in rooms.items():
        if free < needs[disk]:
            raise SystemFault(
                f"the disk of `{folder}` has {_size(free)} left; {_size(needs[disk])} may be needed",
                hint="make room there, or build fewer assets at a time",
            )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it, links included that lead nowhere."""
    return next(each for each in (folder, *folder.parents) if os.path.lexists(each))


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"
