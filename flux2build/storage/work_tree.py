"""The work tree, searched for pictures that were moved, renamed or copied by hand."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from flux2build.digest import Digest
from flux2build.storage.paths import is_foreign

_SUFFIXES: Final = frozenset({"png", "jpg", "jpeg", "webp"})
"""The suffixes of pictures that providers deliver."""
_MOST: Final = 200_000
"""The most files of a tree whose names are looked at, which takes half a second."""


class WorkTree:
    """Finds bytes in the work tree that would otherwise have to be paid for again.

    The tree is walked once, at the first question; pictures of a wanted size are hashed.
    """

    def __init__(
        self,
        root: Path,
        folder: Path,
        sizes: Callable[[], Mapping[Digest, int | None]],
        digest: Callable[[str], str | None],
    ) -> None:
        """`sizes` has the size of each picture that may be needed; None if it is unknown."""
        self._root, self._folder, self._sizes, self._digest = root, folder, sizes, digest
        self._found: dict[Digest, str | None] = {}

    def find(self, digest: Digest) -> str | None:
        """Return where a picture lies, from the folder of the spec; None for any other bytes."""
        if digest not in self._found:
            self._found[digest] = self._search(digest)
        return self._found[digest]

    def _search(self, digest: Digest) -> str | None:
        wanted = self._wanted
        if digest not in wanted:
            return None
        size = wanted[digest]
        fitting = (path for path, has in self._pictures if size in {None, has})
        return next((path for path in fitting if self._digest(path) == digest), None)

    @cached_property
    def _wanted(self) -> Mapping[Digest, int | None]:
        return self._sizes()

    @cached_property
    def _pictures(self) -> list[tuple[str, int]]:
        """Every picture below the root, from the folder of the spec, with its size in bytes."""
        return list(self._walk())

    def _walk(self) -> Iterator[tuple[str, int]]:
        left = _MOST
        for folder, folders, names in os.walk(self._root):
            folders[:] = sorted(name for name in folders if not is_foreign(name))
            if (left := left - len(names)) < 0:
                return
            for name in sorted(names):
                if name.rpartition(".")[2].lower() not in _SUFFIXES:
                    continue
                path = Path(folder, name)
                with suppress(OSError):
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        yield Path(os.path.relpath(path, self._folder)).as_posix(), status.st_size
