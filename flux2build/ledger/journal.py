"""The journal: the ledger's entries on disk, appended, synced, and never rewritten.

A line is the CRC-32 of the rest of it, a space, and JSON. A process that dies
while it writes leaves a torn end, which readers skip and the next append removes.
A bad line that is followed by good ones was not torn: the journal is damaged, and
no money is spent until a person has repaired it.
"""

from __future__ import annotations

import errno
import os
import threading
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError, Place, Problem, SystemFault
from flux2build.ledger import Entry, Foreign, Intended, entry_from_json, entry_to_json
from flux2build.storage import locks
from flux2build.storage.durable import fault, folder, sync, sync_upwards

_FLAGS: Final = os.O_CREAT | os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
_OURS_ALONE: Final = 0o600


class Journal:
    """One file of entries, shared by all processes of a user."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()
        self._named = False
        self._forget()

    def append(self, entry: Entry, *, durable: bool = True) -> None:
        """Add an entry; when this returns, a durable one survives a power cut.

        Raises:
            SystemFault: it is not certain that the entry is there.
        """
        with self._guard:
            try:
                folder(self.path.parent, 0o700)
                lock = locks.opened(self.path.with_name(f"{self.path.name}.lock"), _OURS_ALONE)
                try:
                    locks.lock(lock)
                    self._append(entry, lasting=durable)
                finally:
                    os.close(lock)
            except OSError as error:
                raise fault("write", self.path, error) from error

    def read(self) -> list[Entry]:
        """Every entry, in order; only lines that are new since the last call are read.

        Raises:
            SystemFault: the journal is damaged, or cannot be read.
        """
        with self._guard:
            self._read()
            return list(self._entries)

    def about(self, order: Digest) -> list[Entry]:
        """Every entry about one order, looked up without scanning the others.

        Raises:
            SystemFault: the journal is damaged, or cannot be read.
        """
        with self._guard:
            self._read()
            return list(self._by_order.get(order, ()))

    def claim(self, order: Digest) -> int | None:
        """A lock on one order, until it is closed; None while another process has it.

        Raises:
            SystemFault: the file cannot be locked.
        """
        path = self.claim_path(order)
        try:
            folder(path.parent, 0o700)
            claim = locks.opened(path, _OURS_ALONE)
            if locks.try_lock(claim):
                return claim
            os.close(claim)
        except OSError as error:
            raise fault("lock", path, error) from error
        return None

    def claim_path(self, order: Digest) -> Path:
        """Where the lock on an order lies."""
        return self.path.with_name("claims") / f"{order.removeprefix('sha256:')}.lock"

    def _read(self) -> None:
        try:
            self._catch_up()
        except OSError as error:
            raise fault("read", self.path, error) from error

    def _append(self, entry: Entry, *, lasting: bool) -> None:
        """Remove a torn end, then write one line; the lock is held."""
        end = self._whole(entry)
        file = os.open(self.path, _FLAGS, _OURS_ALONE)
        try:
            if end is not None and end < os.fstat(file).st_size:
                os.ftruncate(file, end)
            self._write(file, entry, lasting=lasting)
        finally:
            os.close(file)
        if lasting and not self._named:
            sync(self.path.parent)
            sync_upwards(self.path.parent, self.path.parent)
            self._named = True

    def _whole(self, entry: Entry) -> int | None:
        """Where the good lines end; None in a damaged journal.

        Damage stops a purchase before it begins. What has already happened is noted
        all the same, on a line of its own.
        """
        try:
            self._catch_up()
        except Flux2BuildError:
            if isinstance(entry, Intended):
                raise
            return None
        return self._end

    def _write(self, file: int, entry: Entry, *, lasting: bool) -> None:
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

    def _forget(self) -> None:
        self._entries: list[Entry] = []
        self._by_order: dict[Digest, list[Entry]] = {}
        self._end = 0
        self._last = b""

    def _catch_up(self) -> None:
        """Read the lines that are new since the last time."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._end - len(self._last))
                if file.read(len(self._last)) != self._last:
                    self._forget()
                    file.seek(0)
                lines = file.read().split(b"\n")[:-1]
        except FileNotFoundError:
            self._forget()
            return
        good = [decoded(line) for line in lines]
        while good and good[-1] is None:
            good.pop()
        for text, line in zip(good, lines, strict=False):
            self._take(text, line)

    def _take(self, text: str | None, line: bytes) -> None:
        number = len(self._entries) + 1
        if text is None:
            raise self._damaged(number, "its checksum does not fit")
        try:
            entry = entry_from_json(text)
        except ValueError as error:
            raise self._damaged(number, str(error)) from error
        self._entries.append(entry)
        if not isinstance(entry, Foreign):
            self._by_order.setdefault(entry.order, []).append(entry)
        self._last = line + b"\n"
        self._end += len(self._last)

    def _damaged(self, number: int, why: str) -> SystemFault:
        return SystemFault(
            Problem(
                f"the journal of orders is damaged: {why}",
                Place(str(self.path), number),
                hint="bring it back from a backup; if there is none, keep a copy, and take out "
                "that line only when you know from the provider what became of its order",
            )
        )


def _last_byte(file: int) -> bytes:
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1)


def _write_at_once(file: int, data: bytes) -> None:
    if os.write(file, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _cut(file: int, end: int) -> None:
    with suppress(OSError):
        os.ftruncate(file, end)


def encoded(entry: Entry) -> bytes:
    """An entry as a line of the journal."""
    text = entry_to_json(entry).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decoded(line: bytes) -> str | None:
    """The JSON of a line, without its end; None when its checksum does not fit."""
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    return text.decode("utf-8", "replace")
