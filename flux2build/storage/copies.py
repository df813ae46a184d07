"""Other copies of pictures that were paid for: elsewhere in the work tree, and in git.

They are looked for if a file is neither in its place nor in the store, before it is paid for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from flux2build.digest import Digest, of_bytes
from flux2build.storage import regular
from flux2build.storage.repository import Repository
from flux2build.storage.work_tree import WorkTree


class Recorded(NamedTuple):
    """The facts in a lock about a picture's file."""

    path: str
    size: int
    """In bytes."""


class Copies:
    """Finds the bytes of pictures, verified by their digest."""

    def __init__(
        self,
        folder: Path,
        work_tree: WorkTree,
        repository: Repository,
        recorded: Callable[[Digest], Iterable[Recorded]],
    ) -> None:
        """`recorded` returns the facts about a picture in the lock and in earlier locks."""
        self._folder, self._work_tree, self._repository = folder, work_tree, repository
        self._recorded = recorded
        self._has: dict[Digest, bool] = {}

    def has(self, digest: Digest) -> bool:
        """Whether there is a copy."""
        if not self._has.get(digest):
            self._has[digest] = self.read(digest) is not None
        return self._has[digest]

    def read(self, digest: Digest) -> bytes | None:
        """The bytes of a picture; None if there is no copy."""
        return next((data for data in self._copies(digest) if of_bytes(data) == digest), None)

    def _copies(self, digest: Digest) -> Iterator[bytes]:
        if (path := self._work_tree.find(digest)) is not None:
            with suppress(OSError):
                yield regular.read(self._folder / path)
        if (fetched := self._repository.fetched(digest)) is not None:
            yield fetched
        for path, size in self._recorded(digest):
            for version in self._repository.versions(path):
                if version.size == size and (data := self._repository.read(version)) is not None:
                    yield data
