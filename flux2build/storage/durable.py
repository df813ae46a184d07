"""Durable writes: neither a crash nor a power cut loses what was written.

A file is written under another name beside its place, synced, and renamed into
place; then its folder is synced. A reader sees either the old bytes or the new ones.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from flux2build.errors import SystemFault

TEMPORARY: Final = ".flux2build-"
"""The prefix of the names of unfinished files."""

_EXCLUSIVE: Final = (
    os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)
_HINTS: Final = {
    errno.ENOSPC: "make room and run the command again; what was paid for is not lost",
    errno.EDQUOT: "make room and run the command again; what was paid for is not lost",
    errno.EROFS: "the disk is mounted read-only; `check` and `plan` work there, building does not",
    errno.EACCES: "see who may read and write there",
    errno.EPERM: "see who may write there, and whether it is immutable: `lsattr`",
    errno.ENOTDIR: "a file stands where a folder should be",
    errno.EEXIST: "a file stands where a folder should be",
    errno.ENAMETOOLONG: "take a shorter name",
}


def fault(doing: str, path: Path | str, error: OSError) -> SystemFault:
    """Return an error that tells people what went wrong with a file."""
    reason = (error.strerror or str(error)).lower()
    return SystemFault(f"cannot {doing} `{path}`: {reason}", hint=way_out(error))


def way_out(error: OSError) -> str | None:
    """A hint for a disk's error; None for an unknown error."""
    return _HINTS.get(error.errno or 0)


def replace(path: Path, data: bytes, mode: int = 0o666, beside: Path | None = None) -> None:
    """Replace a file atomically and durably; a link at its path is replaced, not followed.

    Until it is finished it lies in the folder `beside`, or in its own.

    Raises:
        SystemFault: the disk is full, read-only or broken, or the folder is not ours.
    """
    try:
        folder(path.parent)
        temporary = (beside or path.parent) / f"{TEMPORARY}{os.urandom(8).hex()}.tmp"
        try:
            write_new(temporary, data, mode)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync(path.parent)
    except OSError as error:
        raise fault("write", path, error) from error


def sweep(folder: Path) -> None:
    """Remove the unfinished files that a crash left in a folder; nothing may be writing there."""
    with suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - of thousands, `glob` takes thrice as long
            if name.startswith(TEMPORARY) and name.endswith(".tmp"):
                folder.joinpath(name).unlink(missing_ok=True)


def write_new(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a new file, complete and synced.

    Raises:
        OSError: it cannot be written, or there is one already.
    """
    file = os.open(path, _EXCLUSIVE, mode)
    try:
        write_all(file, data)
        os.fsync(file)
    finally:
        os.close(file)


def write_all(file: int, data: bytes) -> None:
    """Write all bytes, in several calls if necessary."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def folder(path: Path, mode: int = 0o777) -> None:
    """Create a folder and its missing parents, durably.

    Raises:
        OSError: it cannot be created.
    """
    if path.is_dir():
        return
    folder(path.parent, mode)
    try:
        path.mkdir(mode, exist_ok=True)
    except FileExistsError as error:
        why = os.strerror(errno.ENOTDIR)
        raise NotADirectoryError(errno.ENOTDIR, why, str(path)) from error
    sync(path.parent)


def sync_upwards(path: Path, top: Path) -> None:
    """Make the names of a folder and its parents durable, up to `top`.

    A folder that exists may have been created by a process that died before it
    could sync the name.
    """
    with suppress(PermissionError):
        sync(path.parent)
    if path != top:
        sync_upwards(path.parent, top)


def sync(path: Path) -> None:
    """Make the names in a folder durable; Windows has no such call."""
    if sys.platform == "win32":  # pragma: no cover - Windows
        return
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
