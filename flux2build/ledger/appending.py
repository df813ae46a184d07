"""Appends an entry to the journal's file, whole or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from flux2build.ledger.entries import Entry, Intended
from flux2build.ledger.lines import encoded
from flux2build.storage import continuation


def write(path: str, file: int, entry: Entry, *, lasting: bool) -> None:
    """Write an entry as one line into an open file; a torn end before it stays on its own line.

    Readers that know the earlier lines learn that these have not changed.

    Raises:
        OSError: it is not certain that the entry is there.
    """
    before = os.fstat(file)
    start, proof = before.st_size, continuation.held(path, before)
    torn = start > 0 and _last_byte(file) != b"\n"
    line = b"\n" * torn + encoded(entry)
    try:
        _write_at_once(file, line)
    except OSError:
        _cut(file, start)
        raise
    sealed = continuation.sealed(file, start + len(line))
    try:
        if lasting:
            os.fsync(file)
    except OSError:
        # An intention is removed again, because nothing will be sent. A fact stays: it happened.
        if isinstance(entry, Intended):
            _cut(file, start)
        raise
    if sealed is not None:
        continuation.note(path, sealed, *proof)


def _last_byte(file: int) -> bytes:
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1)


def _write_at_once(file: int, data: bytes) -> None:
    if os.write(file, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _cut(file: int, end: int) -> None:
    with suppress(OSError):
        os.ftruncate(file, end)
