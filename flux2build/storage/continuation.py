"""A note beside a ledger says that lines were only added; it holds while the ledger has the attributes it names.

It gives the ledger's first lines a name, and may have their digest. A writer that adds lines under
the lock renews the note, so that readers need not read these lines again to know that they are
unchanged. The file may be deleted at any time.
"""

from __future__ import annotations

import operator
import os
import time
import zlib
from contextlib import suppress

Attributes = tuple[int, int, int, int]
"""A file's size, times and inode."""

_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_OURS_ALONE = 0o600
_LENGTH = 256
"""Bytes of a note: each is as long as the one before, and written at once."""

_ATTRIBUTES = operator.attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")


def attributes(status: os.stat_result) -> Attributes:
    """Return the attributes that distinguish the states of a file."""
    values: Attributes = _ATTRIBUTES(status)
    return values


def held(ledger: str, status: os.stat_result) -> tuple[str, str]:
    """The name of a ledger's unchanged first lines, and the digest of the indexed ones.

    Both are empty where there is no note, or the ledger has changed since it was written.
    """
    state, name, digest = _read(ledger)
    return (name, digest) if state == repr(attributes(status)) else ("", "")


def note(ledger: str, state: Attributes, name: str, digest: str) -> None:
    """Write a note that is valid while the ledger has these attributes, under a name."""
    text = f"{state}\n{name or os.urandom(8).hex()}\n{digest}"
    data = f"{text}\n{_checksum(text)}".ljust(_LENGTH).encode()
    with suppress(OSError):
        file = os.open(place(ledger), _FLAGS | os.O_WRONLY | os.O_CREAT, _OURS_ALONE)
        try:
            os.write(file, data)
        finally:
            os.close(file)


def sealed(file: int, size: int) -> Attributes | None:
    """Give an open file a time of its own, and return its attributes; None if it has another size.

    Whatever is written later gets another time, even in the same tick of the disk's clock. The
    nanoseconds are odd, which exposes a disk with coarser times, which could hide a change.
    """
    if os.utime not in os.supports_fd:
        return None
    with suppress(OSError):
        now = time.time_ns() | 1
        os.utime(file, ns=(now, now))
        state = attributes(os.fstat(file))
        if state[:2] == (size, now):
            return state
    return None


def _read(ledger: str) -> tuple[str, str, str]:
    try:
        file = os.open(place(ledger), _FLAGS | os.O_RDONLY)
    except OSError:
        return "", "", ""
    try:
        text, _, checksum = str(os.read(file, _LENGTH), "ascii").rstrip().rpartition("\n")
        state, name, digest = text.split("\n")
    except (OSError, ValueError):
        return "", "", ""
    finally:
        os.close(file)
    return (state, name, digest) if checksum == _checksum(text) else ("", "", "")


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


def place(ledger: str) -> str:
    """The file beside a ledger that holds the note."""
    return f"{ledger.rpartition('.')[0]}.seen"
