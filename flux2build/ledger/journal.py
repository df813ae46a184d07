"""The journal: the ledger's entries on disk, appended, synced, and rewritten by `rebuild` only.

A line is the CRC-32 of the rest of it, a space, and JSON. A process that dies while it writes
leaves a torn end, which readers skip and the next append removes. Every other unreadable line is
damage, and so is a line that a newer flux2build wrote: the other lines are still read, and no money
is spent until a person has settled it. Line ends and marks that an editor may leave do not matter.

If the journal is lost, cut off or an older copy, the claims show that there was an order.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from flux2build.digest import Digest
from flux2build.errors import Problem, SystemFault
from flux2build.ledger import (
    Entry,
    Foreign,
    Intended,
    Ledger,
    appending,
    entry_from_json,
    fold,
    line_index,
    unreadable,
)
from flux2build.ledger.claims import Claims
from flux2build.ledger.excerpt import Excerpt
from flux2build.ledger.fold import unbegun
from flux2build.ledger.line_index import Hash, LineIndex, MisledError, News
from flux2build.ledger.lines import BYTE_ORDER_MARK, MISFIT, decoded, encoded, suspects
from flux2build.ledger.salvage import Salvage, saved
from flux2build.storage import locks, probe, regular
from flux2build.storage.aside import put_aside
from flux2build.storage.durable import fault, folder, replace, sync, sync_upwards

_FLAGS: Final = os.O_CREAT | os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
_OURS_ALONE: Final = 0o600

_UNINDEXED: Final = 200
"""The most lines that are read again each time before the index is written."""

_NO_FILE: Final = frozenset({errno.ENOENT, errno.EISDIR, errno.EINVAL, errno.ELOOP, errno.ENXIO})
"""The errors of readers where the path is not a file."""


class Journal:
    """One file of entries, shared by all processes of a user."""

    def __init__(self, path: Path, *, unindexed: int = _UNINDEXED) -> None:
        self.path = path
        self.claims = Claims(path.with_name("claims"))
        self._guard = threading.RLock()
        self._named = False
        self._unindexed = unindexed
        self._indexing = True
        self.end = 0
        """Where the lines ended that the last `ledger` is about, in bytes."""
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
        """Write all entries that can be saved, and further ones, durably.

        If that leaves anything out, the old file is kept under the returned path.

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
        """The entries that can be saved from the file, wherever they stand in it.

        Raises:
            SystemFault: it cannot be read, though it may be whole.
        """
        return _salvage(self.path)

    def read(self) -> list[Entry]:
        """Every readable entry, in order; `problems` reports the unreadable ones.

        Only lines that are new since the last call are read.

        Raises:
            SystemFault: the journal cannot be read.
        """
        with self._guard:
            self._read_whole()
            return list(self._entries)

    def ledger(self) -> Ledger:
        """The sum of the entries; with an index, most of them are read only when they are needed.

        Raises:
            SystemFault: the journal cannot be read.
        """
        with self._guard:
            self._read()
            if self._index is None:
                ledger = fold(self._entries)
            else:
                read = partial(self._index.entries, self.path)
                excerpt = Excerpt(self._index, read, self._entries, lambda: fold(self.read()))
                ledger = excerpt.ledger()
            self._keep_index(ledger)
            self.end = self._end
            return ledger

    def position(self) -> tuple[LineIndex | None, Sequence[Entry]]:
        """The index of the first lines, if there is one, and the entries behind them, as last read."""
        with self._guard:
            return self._index, tuple(self._entries)

    def about(self, order: Digest) -> list[Entry]:
        """Every entry about one order, looked up without scanning the others.

        Raises:
            SystemFault: the journal cannot be read.
        """
        with self._guard:
            self._read()
            return self._about(order)

    def problems(self) -> tuple[Problem, ...]:
        """The entries that this flux2build cannot read, which keep it from buying.

        Raises:
            SystemFault: the journal cannot be read.
        """
        with self._guard:
            self._read()
            if self._suspects:  # another process may be repairing a torn end
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
        """Prove that orders can be claimed and noted, and leave nothing behind.

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
            if attempt or not self._lines:  # otherwise the entries read before are as good
                self._read()
            entries = self._about(order)
        return unbegun(entries, attempt)

    def missing(self) -> Sequence[Digest]:
        """The orders that are `unrecorded`, sorted.

        Raises:
            SystemFault: the journal cannot be read.
        """
        return [order for order in self.claims if self.unrecorded(order)]

    def emptied(self) -> bool:
        """Whether a journal that was written is now empty, although something was to be bought.

        Raises:
            SystemFault: the journal cannot be read.
        """
        with self._guard:
            self._read()
            if self._index or self._entries or self._damage or self._suspects:
                return False
        return self.lock_path.exists() and any(True for _ in self.claims)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other writers out of the journal."""
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

    @property
    def _index_path(self) -> Path:
        return self.path.with_suffix(".index")

    def _read(self) -> None:
        try:
            self._catch_up()
        except OSError as error:
            unread = fault("read", self.path, error)
            if error.errno in _NO_FILE:
                unread = SystemFault(str(unread), hint=unreadable.RECOVER)
            raise unread from error

    def _read_whole(self) -> None:
        """Read every line, without the index; from now on it is not used any more."""
        self._indexing = False
        if self._index is not None:
            self._forget()
        self._read()

    def _about(self, order: Digest) -> list[Entry]:
        try:
            early = self._index.entries(self.path, [order]) if self._index else []
        except MisledError:
            self._read_whole()
            early = []
        return [*early, *self._by_order.get(order, ())]

    def _append(self, entry: Entry, *, lasting: bool) -> None:
        """Remove a torn end, then write one line; the lock is held."""
        end = self._whole(entry)
        file = os.open(self.path, _FLAGS, _OURS_ALONE)
        try:
            if lasting and not self._named:  # first: a line is written only if readers will find it
                sync(self.path.parent)
                sync_upwards(self.path.parent, self.path.parent)
                self._named = True
            if end is not None and end < os.fstat(file).st_size:
                os.ftruncate(file, end)
            appending.write(str(self.path), file, entry, lasting=lasting)
        finally:
            os.close(file)

    def _whole(self, entry: Entry) -> int | None:
        """The end of the good lines; None in a damaged journal.

        Damage stops a purchase before it starts. Facts are still noted, on a line of their own.
        """
        self._catch_up()
        if isinstance(entry, Intended) and (problems := self._problems()):
            raise SystemFault(*problems)
        return None if self._damage or self._suspects else self._end

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
        self._index: LineIndex | None = None
        """Tells of the first lines, of which no entry is here."""
        self._indexed = 0
        """Lines that the index on disk tells of."""
        self._rows: list[bytes] = []
        self._hash: Hash = sha256()
        """The hash of the bytes of the lines after those of the index."""

    def _catch_up(self) -> None:
        """Read the lines that are new since the last call; all of them if there was damage."""
        if self._damage:
            self._forget()
        try:
            with regular.opened(self.path) as file:
                if self._indexing and not self._end:
                    self._take_up(file)
                file.seek(self._end - len(self._last))
                if file.read(len(self._last)) != self._last:
                    self._forget()
                    file.seek(0)
                *lines, tail = file.read().split(b"\n")
        except (FileNotFoundError, NotADirectoryError):
            self._forget()
            return
        mark = BYTE_ORDER_MARK if self._end == 0 else b""
        texts = [decoded(line.removeprefix(mark)) for line in lines[:1]]
        texts += [decoded(line) for line in lines[1:]]
        whole = len(texts)
        while whole and texts[whole - 1] is None:
            whole -= 1
        for text, line in zip(texts[:whole], lines, strict=False):
            self._take(text, line)
        self._suspects = list(suspects(self._lines + 1, [*lines[whole:], tail]))

    def _take_up(self, file: BinaryIO) -> None:
        """Start after the lines of the index, if it is valid."""
        if (index := line_index.taken_up(self._index_path, file)) is not None:
            self._index, self._lines, self._end = index, index.lines, index.end
            file.seek(index.end - index.last)
            self._last = file.read(index.last)

    def _keep_index(self, ledger: Ledger) -> None:
        """Write the index once it lacks many sound lines."""
        behind = self._lines - max(self._index.lines if self._index else 0, self._indexed)
        if behind < self._unindexed or self._damage or self._suspects or self._newer:
            return
        open_ = tuple(dict.fromkeys(attempt.order for attempt in ledger.open))
        news = News(self._lines, self._end, len(self._last), self._hash, self._rows, open_)
        with suppress(OSError), regular.opened(self.path) as file:
            if (index := line_index.extended(self._index, file, news)) is not None:
                index.save(self._index_path)
                self._indexed = self._lines

    def _take(self, text: str | None, line: bytes) -> None:
        """Read one line; a blank line is ignored."""
        self._lines, at = self._lines + 1, self._end
        self._last = line + b"\n"
        self._hash.update(self._last)
        self._end += len(self._last)
        if text is None:
            self._damage.append((self._lines, MISFIT))
        elif text:
            self._enter(text, at)

    def _enter(self, text: str, at: int) -> None:
        try:
            entry = entry_from_json(text)
        except ValueError as error:
            self._damage.append((self._lines, str(error)))
            return
        self._entries.append(entry)
        self._rows += line_index.rows_of(entry, at)
        if isinstance(entry, Foreign):
            self._newer.append(self._lines)
        else:
            self._by_order.setdefault(entry.order, []).append(entry)

    def _problems(self) -> tuple[Problem, ...]:
        return unreadable.problems(str(self.path), [*self._damage, *self._suspects], self._newer)


def _salvage(path: Path) -> Salvage:
    if not os.path.lexists(path):
        return Salvage()
    try:
        return saved(regular.read(path, None))
    except OSError as error:
        if error.errno in _NO_FILE:
            return Salvage(data=None, complete=False)
        raise fault("read", path, error) from error
