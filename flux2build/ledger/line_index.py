"""An index of the ledger: the places of each order's lines, so that others need not be read.

It covers a ledger's first lines, all of them sound, and lies in a file of its own that may be
deleted at any time. It is valid only while those lines are byte for byte the same: either the
ledger still has the size, times and inode that it had then, and the times are old enough to show a
later change, or the lines are hashed again. The entries themselves are read from the ledger.
"""

from __future__ import annotations

import hashlib
import os
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.ledger import beside
from flux2build.ledger.codec import entry_from_json
from flux2build.ledger.entries import Delivered, Entry, Foreign
from flux2build.ledger.lines import BYTE_ORDER_MARK, decoded
from flux2build.storage import continuation, durable, regular
from flux2build.storage.continuation import Attributes, attributes

if TYPE_CHECKING:
    from hashlib import _Hash

Hash: TypeAlias = "_Hash"

_FORMAT: Final = 1
_KEY: Final = 32
_ROW: Final = _KEY + 8
_TICK: Final = 50_000_000
"""Nanoseconds within which a disk's clock may give two changes the same time."""
_COARSE: Final = 2_100_000_000
"""The same, for disks that count seconds."""
_UNRELIABLE: Final = (0, 0, 0, 0)

Signature = Attributes
"""The attributes of a file; all 0 if they could not show a later change."""


class MisledError(Exception):
    """The index does not match the lines of the ledger."""


class LineIndex(Struct, frozen=True):
    """The facts about the first lines of a ledger."""

    lines: int
    end: int
    """The end of these lines, in bytes."""
    last: int
    """The length of the last line, with its line end."""
    digest: str
    """SHA-256 of these bytes."""
    signature: Signature
    """The signature of the whole file when it was last compared with the digest."""
    open: tuple[Digest, ...]
    """The orders that are pending, kept aside, lost or in doubt."""
    rows: bytes
    """The sorted digests of orders and of delivered pictures, each with the offset of a line."""

    def compared(self, file: BinaryIO) -> LineIndex | None:
        """This index, with a new signature if a ledger still begins with these lines; else None."""
        now, before = time.time_ns(), os.fstat(file.fileno())
        if any(self.signature) and self.signature == attributes(before):
            return self
        if before.st_size < self.end or hashed(file, self.end).hexdigest() != self.digest:
            return None
        return replace(self, signature=signature(file, before, now))

    def entries(self, path: Path, orders: Iterable[Digest]) -> list[Entry]:
        """All entries about some orders, in the order of the ledger.

        Raises:
            MisledError: the ledger has other lines there.
            SystemFault: it cannot be read.
        """
        places = sorted({(at, order) for order in orders for at in self._offsets(order)})
        if not places:
            return []
        try:
            with regular.opened(path) as file:
                return [_entry(file, at, order) for at, order in places]
        except OSError as error:
            raise durable.fault("read", path, error) from error

    def _offsets(self, digest: Digest) -> Iterator[int]:
        key, rows = _raw(digest), self.rows
        places = range(0, len(rows), _ROW)
        first = bisect_left(places, key, key=lambda at: rows[at : at + _KEY])
        for at in places[first:]:
            if rows[at : at + _KEY] != key:
                return
            yield int.from_bytes(rows[at + _KEY : at + _ROW], "big")

    def save(self, path: Path) -> None:
        """Write the index for `load`; errors of the disk are ignored."""
        head = {name: getattr(self, name) for name in _HEAD}
        beside.save(path, {"format": _FORMAT, **head}, self.rows)


class News(NamedTuple):
    """The sound entries of a ledger after the lines of an index."""

    lines: int
    """The number of all lines, including those of the index."""
    end: int
    last: int
    hash: Hash
    """The SHA-256 of the bytes after those of the index."""
    rows: Sequence[bytes]
    open: tuple[Digest, ...]


_HEAD: Final = ("lines", "end", "last", "digest", "signature", "open")


def load(path: Path) -> LineIndex | None:
    """The index in a file; None if there is none, or it is damaged."""
    if (contents := beside.load(path)) is None:
        return None
    head, rows = contents
    try:
        if head.pop("format") != _FORMAT:
            return None
        head["signature"], head["open"] = tuple(head["signature"]), tuple(head["open"])
        return LineIndex(**head, rows=rows)
    except (AttributeError, KeyError, TypeError):
        return None


def taken_up(path: Path, ledger: BinaryIO) -> LineIndex | None:
    """The index in a file, if it is valid for a ledger; the proof is noted for the next reader."""
    if (index := load(path)) is None:
        return None
    status = os.fstat(ledger.fileno())
    name, digest = continuation.held(str(path), status)
    if digest == index.digest:
        return index
    compared = index.compared(ledger)
    if compared is not None and compared.signature == attributes(status):
        continuation.note(str(path), compared.signature, name, compared.digest)
    return compared


def extended(before: LineIndex | None, ledger: BinaryIO, news: News) -> LineIndex | None:
    """An index that covers further lines, too; None if the ledger has changed."""
    now, status, start = time.time_ns(), os.fstat(ledger.fileno()), before.end if before else 0
    digest = hashed(ledger, start)
    rest = ledger.read(news.end - start)
    if before is not None and digest.hexdigest() != before.digest:
        return None
    if hashlib.sha256(rest).digest() != news.hash.digest():
        return None
    digest.update(rest)
    old = before.rows if before else b""
    rows = [old[at : at + _ROW] for at in range(0, len(old), _ROW)]
    return LineIndex(
        lines=news.lines,
        end=news.end,
        last=news.last,
        digest=digest.hexdigest(),
        signature=signature(ledger, status, now),
        open=news.open,
        rows=b"".join(sorted([*rows, *sorted(news.rows)])),
    )


def rows_of(entry: Entry, at: int) -> Iterator[bytes]:
    """The rows that lead to an entry's line."""
    if isinstance(entry, Foreign):
        return
    yield _raw(entry.order) + at.to_bytes(8, "big")
    if isinstance(entry, Delivered):
        yield _raw(entry.output) + at.to_bytes(8, "big")


def hashed(file: BinaryIO, end: int) -> Hash:
    """The hash of a file's first bytes; it differs if the file has fewer."""
    digest, rest = hashlib.sha256(), end
    file.seek(0)
    while rest and (part := file.read(min(rest, 1 << 20))):
        digest.update(part)
        rest -= len(part)
    return digest


def signature(ledger: BinaryIO, before: os.stat_result, now: int) -> Signature:
    """The signature, at `now`, of a ledger that was read after its attributes were `before`."""
    try:
        os.fsync(ledger.fileno())  # a power cut must not remove lines and leave the times
    except OSError:
        return _UNRELIABLE
    after = os.fstat(ledger.fileno())
    newest = max(after.st_mtime_ns, after.st_ctime_ns)
    if attributes(after) != attributes(before) or newest >= now - margin(after.st_ctime_ns):
        return _UNRELIABLE
    return attributes(after)


def margin(changed: int) -> int:
    """The nanoseconds within which the disk may give a second change the same time."""
    return _TICK if changed % 10_000_000 else _COARSE


def _entry(file: BinaryIO, at: int, about: Digest) -> Entry:
    file.seek(at)
    line = file.readline()
    text = decoded((line.removeprefix(BYTE_ORDER_MARK) if at == 0 else line).removesuffix(b"\n"))
    try:
        entry = entry_from_json(text or "")
    except ValueError as error:
        raise MisledError from error
    if isinstance(entry, Foreign) or about not in {entry.order, getattr(entry, "output", None)}:
        raise MisledError
    return entry


def _raw(digest: Digest) -> bytes:
    return bytes.fromhex(digest.removeprefix("sha256:"))
