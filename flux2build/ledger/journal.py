"""The journal: the ledger's entries on disk, appended, synced, and rewritten by `rebuild` only.

A line is the CRC-32 of the rest of it, a space, and JSON. A process that dies
while it writes leaves a torn end, which readers skip and the next append removes.
Every other line that cannot be read is damage, and so is one that a newer flux2build
wrote: what the others say is still read, and no money is spent until a person has
settled it. Line ends and marks that an editor may leave do not matter.

Where it is lost, cut off or an older copy, the claims show that there was an order.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from flux2build.digest import Digest
from flux2build.errors import Place, Problem, SystemFault
from flux2build.ledger import Entry, Foreign, Intended, Ticketed, entry_from_json
from flux2build.ledger.claims import Claims
from flux2build.ledger.lines import MISFIT, decoded, encoded, ranges, suspects
from flux2build.ledger.salvage import Salvage, saved
from flux2build.storage import locks, probe, regular
from flux2build.storage.aside import put_aside
from flux2build.storage.durable import fault, folder, replace, sync, sync_upwards

_FLAGS: Final = os.O_CREAT | os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
_OURS_ALONE: Final = 0o600
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_NO_FILE: Final = frozenset({errno.ENOENT, errno.EISDIR, errno.EINVAL, errno.ELOOP, errno.ENXIO})
"""What readers report where something other than a file lies."""

_RECOVER: Final = (
    "bring it back from a backup; if there is none, `flux2build orders recover` shows what can be "
    "rebuilt"
)


class Journal:
    """One file of entries, shared by all processes of a user."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.claims = Claims(path.with_name("claims"))
        self._guard = threading.Lock()
        self._named = False
        self._forget()

    def append(self, entry: Entry, *, durable: bool = True) -> None:
        """Add an entry; when this returns, a durable one survives a power cut.

        Raises:
            SystemFault: it is not certain that the entry is there.
        """
        with self._alone():
            self._append(entry, lasting=durable)
            if isinstance(entry, Intended):
                self.claims.name(entry)

    def rebuild(self, additions: Callable[[Sequence[Entry]], Sequence[Entry]]) -> Path | None:
        """Write all entries that can be saved, and what is to be added to them, durably.

        Where that leaves anything out, what was there before is kept under the path
        that is returned.

        Raises:
            SystemFault: it cannot be read or written; the old journal is still there.
        """
        with self._alone():
            path = Path(os.path.realpath(self.path)) if self.path.is_file() else self.path
            before = _salvage(path)
            added = additions(before.entries)
            lines = [*(line + b"\n" for line in before.lines), *map(encoded, added)]
            new, aside = b"".join(lines), None
            if before.data is None or not new.startswith(before.data):
                aside = put_aside(path, before.data)
            replace(path, new, _OURS_ALONE)
            for entry in added:
                if isinstance(entry, Intended):
                    self.claims.name(entry)
            return aside

    def salvage(self) -> Salvage:
        """What can be saved of the file, wherever it stands in there.

        Raises:
            SystemFault: it cannot be read, though it may be whole.
        """
        return _salvage(self.path)

    def read(self) -> list[Entry]:
        """Every entry that can be read, in order; `problems` tells which ones cannot.

        Only lines that are new since the last call are read.

        Raises:
            SystemFault: the journal cannot be read.
        """
        with self._guard:
            self._read()
            return list(self._entries)

    def about(self, order: Digest) -> list[Entry]:
        """Every entry about one order, looked up without scanning the others.

        Raises:
            SystemFault: the journal cannot be read.
        """
        with self._guard:
            self._read()
            return list(self._by_order.get(order, ()))

    def problems(self) -> tuple[Problem, ...]:
        """What this flux2build cannot read, and so keeps it from buying.

        Raises:
            SystemFault: the journal cannot be read.
        """
        with self._guard:
            self._read()
            if self._suspects:  # another process may have been repairing a torn end just now
                self._read()
            return self._problems()

    def prove(self) -> None:
        """Stop if anything cannot be read: it may be an order that is paid for.

        Raises:
            SystemFault: the journal is damaged, or cannot be read.
        """
        if problems := self.problems():
            raise SystemFault(*problems)

    def prove_writable(self) -> None:
        """Prove that orders can be claimed and noted; nothing is left behind.

        Raises:
            SystemFault: they cannot.
        """
        for existing in (self.path.parent, self.path.with_name("claims")):
            probe.takes_files(existing)
        for path in (self.lock_path, self.path):
            probe.takes_bytes(path)

    def unrecorded(self, order: Digest) -> bool:
        """Whether there is evidence of an attempt to buy an order that the journal does not hold.

        The lock on the order names it, or the journal has its ticket and not its beginning.

        Raises:
            SystemFault: the journal cannot be read.
        """
        attempt = self.claims.attempt(order)  # first: the journal has an attempt before its claim
        with self._guard:
            if attempt or not self._lines:  # else what was read before is as good
                self._read()
            entries = self._by_order.get(order, ())
        known, ticketed = set[str](), set[str]()
        for entry in entries:
            if isinstance(entry, Ticketed):
                ticketed.add(entry.attempt)
            elif not isinstance(entry, Foreign):
                known.add(entry.attempt)
        if attempt and not any(name.startswith(attempt) for name in known):
            return True
        return not ticketed <= known

    def missing(self) -> Sequence[Digest]:
        """The orders that are `unrecorded`, sorted.

        Raises:
            SystemFault: the journal cannot be read.
        """
        return [order for order in self.claims if self.unrecorded(order)]

    def emptied(self) -> bool:
        """Whether nothing is left of a journal that was written, though something was to be bought.

        Raises:
            SystemFault: the journal cannot be read.
        """
        with self._guard:
            self._read()
            if self._entries or self._damage or self._suspects:
                return False
        return self.lock_path.exists() and any(True for _ in self.claims)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep out whoever writes to the journal."""
        with self._guard:
            try:
                folder(self.path.parent, 0o700)
                lock = locks.opened(self.lock_path, _OURS_ALONE)
                try:
                    locks.lock(lock)
                    yield
                finally:
                    os.close(lock)
            except OSError as error:
                raise fault("write", error.filename or self.path, error) from error

    @property
    def lock_path(self) -> Path:
        """The file that is locked while the journal is written."""
        return self.path.with_name(f"{self.path.name}.lock")

    def _read(self) -> None:
        try:
            self._catch_up()
        except OSError as error:
            unread = fault("read", self.path, error)
            if error.errno in _NO_FILE:
                unread = SystemFault(str(unread), hint=_RECOVER)
            raise unread from error

    def _append(self, entry: Entry, *, lasting: bool) -> None:
        """Remove a torn end, then write one line; the lock is held."""
        end = self._whole(entry)
        file = os.open(self.path, _FLAGS, _OURS_ALONE)
        try:
            if lasting and not self._named:  # first: a line is written only if it will be found
                sync(self.path.parent)
                sync_upwards(self.path.parent, self.path.parent)
                self._named = True
            if end is not None and end < os.fstat(file).st_size:
                os.ftruncate(file, end)
            self._write(file, entry, lasting=lasting)
        finally:
            os.close(file)

    def _whole(self, entry: Entry) -> int | None:
        """Where the good lines end; None in a damaged journal.

        Damage stops a purchase before it begins. What has already happened is noted
        all the same, on a line of its own.
        """
        self._catch_up()
        if isinstance(entry, Intended) and (problems := self._problems()):
            raise SystemFault(*problems)
        return None if self._damage or self._suspects else self._end

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
        self._damage: list[tuple[int, str]] = []
        """Lines that cannot be read, with the reason."""
        self._suspects: list[tuple[int, str]] = []
        """The same for lines at the end, which are read again the next time."""
        self._newer: list[int] = []
        """Lines of a newer flux2build."""
        self._lines = 0
        self._end = 0
        self._last = b""

    def _catch_up(self) -> None:
        """Read the lines that are new since the last time; all of them if there was damage."""
        if self._damage:
            self._forget()
        try:
            with regular.opened(self.path) as file:
                file.seek(self._end - len(self._last))
                if file.read(len(self._last)) != self._last:
                    self._forget()
                    file.seek(0)
                *lines, tail = file.read().split(b"\n")
        except (FileNotFoundError, NotADirectoryError):
            self._forget()
            return
        mark = _BYTE_ORDER_MARK if self._end == 0 else b""
        texts = [decoded(line.removeprefix(mark)) for line in lines[:1]]
        texts += [decoded(line) for line in lines[1:]]
        whole = len(texts)
        while whole and texts[whole - 1] is None:
            whole -= 1
        for text, line in zip(texts[:whole], lines, strict=False):
            self._take(text, line)
        self._suspects = list(suspects(self._lines + 1, [*lines[whole:], tail]))

    def _take(self, text: str | None, line: bytes) -> None:
        """Read one line; one that is blank says nothing."""
        self._lines += 1
        self._last = line + b"\n"
        self._end += len(self._last)
        if text is None:
            self._damage.append((self._lines, MISFIT))
        elif text:
            self._enter(text)

    def _enter(self, text: str) -> None:
        try:
            entry = entry_from_json(text)
        except ValueError as error:
            self._damage.append((self._lines, str(error)))
            return
        self._entries.append(entry)
        if isinstance(entry, Foreign):
            self._newer.append(self._lines)
        else:
            self._by_order.setdefault(entry.order, []).append(entry)

    def _problems(self) -> tuple[Problem, ...]:
        damage, problems = [*self._damage, *self._suspects], []
        if damage:
            first, why = damage[0]
            lines = ranges(number for number, _ in damage)
            problems.append(
                Problem(
                    f"the journal of orders is damaged: {why}; nothing is bought until it is settled",
                    Place(str(self.path), first),
                    rows=(("lines", lines),),
                    hint=_RECOVER,
                )
            )
        if self._newer:
            problems.append(
                Problem(
                    "the journal of orders has entries of a newer flux2build, which this one "
                    "cannot read; nothing is bought with it",
                    Place(str(self.path), self._newer[0]),
                    rows=(("lines", ranges(self._newer)),),
                    hint="build with the newest flux2build",
                )
            )
        return tuple(problems)


def _salvage(path: Path) -> Salvage:
    if not os.path.lexists(path):
        return Salvage()
    try:
        return saved(regular.read(path, None))
    except OSError as error:
        if error.errno in _NO_FILE:
            return Salvage(data=None, complete=False)
        raise fault("read", path, error) from error


def _last_byte(file: int) -> bytes:
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1)


def _write_at_once(file: int, data: bytes) -> None:
    if os.write(file, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _cut(file: int, end: int) -> None:
    with suppress(OSError):
        os.ftruncate(file, end)
