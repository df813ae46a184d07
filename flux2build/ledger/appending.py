"""How an entry is appended to the file of the journal: whole, or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from flux2build.ledger.entries import Entry, Intended
from flux2build.ledger.lines import encoded


def write(file: int, entry: Entry, *, lasting: bool) -> None:
    """Write an entry as one line, behind a torn end on a line of its own.

    Raises:
        OSError: it is not certain that the entry is there.
    """
    start = os.fstat(file).st_size
    torn = start > 0 and _last_byte(file) != b"\n"
    try:
        _write_at_once(file, b"\n" * torn + encoded(entry))
    except OSError:
        _cut(file, start)
        raise
    try:
        if lasting:
            os.fsync(file)
    except OSError:
        # An intention is taken back, as nothing is sent. A fact stays: it happened.
        if isinstance(entry, Intended):
            _cut(file, start)
        raise


def _last_byte(file: int) -> bytes:
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1)


def _write_at_once(file: int, data: bytes) -> None:
    if os.write(file, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _cut(file: int, end: int) -> None:
    with suppress(OSError):
        os.ftruncate(file, end)
