"""Other places of paid pictures: the work tree, and the commits of git."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from flux2build.digest import Digest
from flux2build.ledger import Ledger
from flux2build.lockfile import Lockfile
from flux2build.purchasing import evidence
from flux2build.session.earlier_locks import EarlierLocks
from flux2build.storage.copies import Copies, Recorded
from flux2build.storage.disk import root_of
from flux2build.storage.index import Index
from flux2build.storage.repository import Repository
from flux2build.storage.work_tree import WorkTree


class Elsewhere:
    """The places to search for pictures that neither the project's files nor the store have."""

    def __init__(
        self,
        folder: Path,
        lock_name: str,
        index: Index,
        ledger: Callable[[], Ledger],
        lock: Callable[[], Lockfile],
    ) -> None:
        """The places around a project's folder; its ledger and lock are read only when needed."""
        self._ledger, self._lock = ledger, lock
        self.repository = Repository(root_of(folder), folder)
        self.earlier = EarlierLocks(self.repository, lock_name)
        work_tree = WorkTree(root_of(folder), folder, self._paid, index.digest)
        self.copies = Copies(folder, work_tree, self.repository, self._recorded_at)

    def _paid(self) -> dict[Digest, int | None]:
        return evidence.paid(self._ledger(), self._lock())

    def _recorded_at(self, digest: Digest) -> list[Recorded]:
        return [*self._recorded.get(digest, ()), *self.earlier.recorded(digest)]

    @cached_property
    def _recorded(self) -> dict[Digest, list[Recorded]]:
        """The paths at which the lock has each paid picture, or at which candidates may have shipped."""
        places: dict[Digest, list[Recorded]] = {}
        for block in self._lock().blocks.values():
            path = block.generated.output.path if block.generated else None
            for each in block.pictures:
                if path is not None and each.receipt.paid:
                    at = Recorded(path, each.output.bytes)
                    places.setdefault(each.output.sha256, []).append(at)
        return places
