"""Tells when files that matter changed: the only door to watchfiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from watchfiles import Change, watch

_DEBOUNCE_MS: Final = 60
"""Edits closer together than this are one change."""
_STEP_MS: Final = 10


class Watcher:
    """Watches the folders of some files; edits made while nobody waits are not lost."""

    def __init__(self) -> None:
        self._files: frozenset[str] = frozenset()
        self._folders: frozenset[Path] = frozenset()
        self._changes: Iterator[set[tuple[Change, str]]] = iter(())

    def aim(self, files: Iterable[Path]) -> bool:
        """Watch these files; True when folders are watched that were not before.

        Whoever looked at the files earlier then looks again: an edit may have
        come in between.
        """
        known = [path.absolute() for path in files]
        self._files = frozenset(str(path) for path in known)
        folders = frozenset(_existing(path.parent) for path in known)
        if folders <= self._folders:
            return False
        self._folders = folders
        self._changes = watch(
            *sorted(folders),
            watch_filter=self._matters,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_DEBOUNCE_MS,
            yield_on_timeout=True,
            recursive=False,
        )
        # The first answer starts the watcher; from then on it collects by itself.
        next(self._changes)
        return True

    def wait(self) -> set[str]:
        """Block until some of the files change; their paths."""
        while not (changed := {path for _, path in next(self._changes)}):
            pass
        return changed

    def _matters(self, _change: Change, path: str) -> bool:
        return path in self._files


def _existing(folder: Path) -> Path:
    """The folder, or the nearest parent that exists."""
    return next(f for f in (folder, *folder.parents) if f.is_dir())
