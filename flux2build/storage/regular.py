"""Reads regular files, without blocking on anything else at their paths."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from flux2build.errors import SpecError
from flux2build.storage.project_files import LARGEST
from flux2build.storage.text_files import decoded, refuse_conflict
from flux2build.storage.whereabouts import alike

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

TOO_LARGE: Final = "it is too large"
LARGEST_SETTINGS: Final = 1024 * 1024
"""Most bytes of a file of settings, keys or certificates."""


def opened(path: Path | str) -> BinaryIO:
    """Open a regular file; opening a pipe or reading a device would never end.

    Raises:
        OSError: there is no such file, or something else lies at the path.
    """
    try:
        number = os.open(path, _FLAGS)
    except ValueError:
        raise OSError(errno.EINVAL, "its name has a null character", str(path)) from None
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(number, "rb")
    os.close(number)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def read(path: Path | str, largest: int | None = LARGEST) -> bytes:
    """Return the bytes of a regular file, of at most `largest` bytes; None stands for any number.

    Raises:
        OSError: there is no such file, it is larger, or something else lies at the path.
    """
    with opened(path) as file:
        if largest is not None and os.fstat(file.fileno()).st_size > largest:
            raise OSError(errno.EFBIG, TOO_LARGE, str(path))
        return file.read()


def text(path: Path) -> str:
    """Return the text of a file of the user's own, which may lie anywhere.

    Raises:
        SpecError: there is no such file, or it is not a text in UTF-8.
    """
    try:
        data = read(path, LARGEST_SETTINGS)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SpecError(f"`{path}` cannot be read: {why}", hint=beside(path)) from error
    whole = decoded(data, str(path))
    refuse_conflict(whole, str(path))
    return whole


def beside(path: Path) -> str | None:
    """A hint that names the file beside a path that was most likely meant; None if it is there."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    except OSError:
        return None
    name = alike(path.name, names)
    return f"did you mean `{path.with_name(name)}`?" if name and name != path.name else None
