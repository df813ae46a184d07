"""How an entry is appended to the file of the journal: whole, or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from flux2build.ledger.entries import Entry, Intended
from flux2build.ledger.lines import encoded
from flux2build.storage import continuation


def write(path: str, file: int, entry: Entry, *, lasting: bool) -> None:
    """Write an entry as one line into an open file, behind a torn end on a line of its own.

    Whoever knew the lines of the file before is told that they are the same.

    Raises:
        OSError: it is not certain that the entry is there.
    """
    before = os.fstat(file)
    start, known = before.st_size, continuation.held(path, before)
    torn = start > 0 and _last_byte(file) != b"\n"
    line = b"\n" * torn + encoded(entry)
    try:
        _write_at_once(file, line)
    except OSError:
        _cut(file, start)
        raise
    seen = continuation.sealed(file, start + len(line))
    try:
        if lasting:
            os.fsync(file)
    except OSError:
        # An intention is taken back, as nothing is sent. A fact stays: it happened.
        if isinstance(entry, Intended):
            _cut(file, start)
        raise
    if seen is not None:
        continuation.note(path, seen, *known)


def _last_byte(file: int) -> bytes:
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1)


def _write_at_once(file: int, data: bytes) -> None:
    if os.write(file, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _cut(file: int, end: int) -> None:
    with suppress(OSError):
        os.ftruncate(file, end)
