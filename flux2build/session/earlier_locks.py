"""Reads the lock in earlier commits, so that pictures bought then are not bought again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from flux2build.digest import Digest
from flux2build.errors import LockError
from flux2build.lockfile import Lockfile, decoded, loads
from flux2build.planning.snapshot import KnownPicture
from flux2build.storage.copies import Recorded
from flux2build.storage.repository import Repository, Version

MOST: Final = 256 * 1024 * 1024
"""The most bytes of earlier locks to search, newest first; this takes a second or two."""
_KEY: Final = rb'(?m)^key = "(sha256:[0-9a-f]{64})"'


class EarlierLocks:
    """Finds the rows of purchases in all versions of a lock that git has.

    Nothing is read unless an order is unknown to lock, ledger and store.
    """

    def __init__(self, repository: Repository, lock: str) -> None:
        self._repository, self._lock = repository, lock
        self._pictures: dict[Version, dict[Digest, list[KnownPicture]]] = {}
        self._recorded: dict[Digest, list[Recorded]] = {}

    def purchases(self, key: Digest) -> Sequence[KnownPicture]:
        """The pictures that were bought with a key, as far as git knows."""
        version = self._versions.get(key)
        if version is None:
            return ()
        if version not in self._pictures:
            self._pictures[version] = self._bought(version)
        return self._pictures[version].get(key, ())

    def recorded(self, digest: Digest) -> Sequence[Recorded]:
        """The paths of pictures in the versions that `purchases` has read."""
        return self._recorded.get(digest, ())

    @cached_property
    def _versions(self) -> dict[Digest, Version]:
        """The newest version of the lock that has a key, by key."""
        newest: dict[Digest, Version] = {}
        bytes_left = MOST
        for version in self._repository.versions(self._lock):
            if (bytes_left := bytes_left - version.size) < 0:
                break
            for key in re.findall(_KEY, self._repository.read(version) or b""):
                newest.setdefault(Digest(str(key, "ascii")), version)
        return newest

    def _bought(self, version: Version) -> dict[Digest, list[KnownPicture]]:
        """The paid pictures of a version, including candidates, by each of their current and former keys."""
        lock = lock_in(self._repository, version, self._lock) or Lockfile()
        pictures: dict[Digest, list[KnownPicture]] = {}
        for block in lock.blocks.values():
            row = block.generated
            if row is not None and row.receipt.paid:
                for key in {row.key, row.renamed.key, row.order.digest}:
                    picture = KnownPicture(row.output.sha256, row.receipt)
                    pictures.setdefault(key, []).append(picture)
                at = Recorded(row.output.path, row.output.bytes)
                self._recorded.setdefault(row.output.sha256, []).append(at)
            for each in block.candidates:
                if each.receipt.paid:
                    picture = KnownPicture(each.output.sha256, each.receipt, each.output)
                    pictures.setdefault(each.key, []).append(picture)
        return pictures


def lock_in(repository: Repository, version: Version, name: str) -> Lockfile | None:
    """The lock in one of its versions; None if it cannot be read."""
    try:
        return loads(decoded(repository.read(version) or b"", name), name)
    except LockError:
        return None
