"""flux2build's own folder beside a spec; its content can be computed again.

The common call needs it, so this module imports almost nothing.
"""

from __future__ import annotations

import errno
import os
import stat

FOLDER = ".flux2build"


def own_folder(folder: str) -> str:
    """Return flux2build's own folder beside a spec, created if missing; git ignores it.

    Raises:
        OSError: it cannot be created, or is a link to somewhere else.
    """
    path = os.path.join(folder, FOLDER)
    try:
        os.mkdir(path)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from None
    try:
        file = os.open(
            os.path.join(path, ".gitignore"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666
        )
    except FileExistsError:
        return path
    try:
        os.write(file, b"*\n")
    finally:
        os.close(file)
    return path


def stamp(folder: str) -> tuple[int, int]:
    """Return a stamp that a committed index cannot forge."""
    status = os.lstat(os.path.join(folder, ".gitignore"))
    return status.st_ino, status.st_ctime_ns


def swap(path: str, data: bytes) -> None:
    """Replace a file atomically but not durably, because it can be computed again."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def through_link(folder: str, path: str) -> bool:
    """Whether a path leads elsewhere, because a part of it may have become a link."""
    if os.path.isabs(path):
        return False
    whole = os.path.normpath(os.path.join(os.path.realpath(folder), path))
    return os.path.realpath(whole) != whole
