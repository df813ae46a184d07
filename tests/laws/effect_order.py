"""Watches the order of effects: paper before money, bytes before receipts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from flux2build import lockfile
from flux2build.digest import Digest, of_bytes
from flux2build.errors import LockError
from flux2build.ledger import Delivered, Intended, entry_from_json
from flux2build.ledger.lines import decoded
from flux2build.storage.store import Store
from tests.laws.disk import Disk
from tests.laws.interception import Effect


def misordered(trace: Iterable[Effect], disk: Disk, lock: Path, home: Path) -> Iterator[str]:
    """What a trace did too early; the disk, as it was before, follows the trace.

    No byte of an order leaves before its `intended` is on disk. No `delivered`
    is on disk, and no row stands in the lock, before the bytes are.
    """
    journal, store = home / "ledger.jsonl", Store(home / "store")
    intended_before = _count(disk.kept(journal), Intended)
    posts = 0
    for effect in trace:
        disk.happen(effect)
        if effect.kind == "send" and effect.data.startswith(b"POST "):
            posts += 1
            if posts > _count(disk.kept(journal), Intended) - intended_before:
                yield "an order was sent before its `intended` was on disk"
        elif effect.kind == "sync" and effect.path == str(journal):
            for entry in _entries(disk.kept(journal) or disk.live(journal)):
                if isinstance(entry, Delivered) and not _durable(disk, store, entry.output):
                    yield f"`delivered` is on disk, and the bytes are not: {entry.output}"
        elif effect.kind == "rename" and effect.path.endswith(f"\n{lock}"):
            for digest in _locked(disk.live(lock)):
                if not _durable(disk, store, digest):
                    yield f"the lock has a row, and the disk not the bytes: {digest}"


def _durable(disk: Disk, store: Store, digest: Digest) -> bool:
    data = disk.kept(store.path(digest))
    return data is not None and of_bytes(data) == digest


def _entries(data: bytes | None) -> Iterator[object]:
    for line in (data or b"").split(b"\n")[:-1]:
        if (text := decoded(line)) is not None:
            yield entry_from_json(text)


def _count(data: bytes | None, kind: type) -> int:
    return sum(isinstance(entry, kind) for entry in _entries(data))


def _locked(data: bytes | None) -> Iterator[Digest]:
    try:
        lock = lockfile.loads((data or b"").decode(), "assets.lock")
    except LockError:
        return
    for block in lock.blocks.values():
        if block.generated is not None:
            yield block.generated.output.sha256
