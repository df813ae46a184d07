"""Waits until files that matter change; the only module that imports watchfiles."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from watchfiles import Change, watch

from flux2build.errors import SystemFault
from flux2build.session.sources import Watched

_DEBOUNCE_MS: Final = 60
"""Edits closer together than this are one change."""
_STEP_MS: Final = 10
_QUIET_TICKS: Final = 10
"""The number of waits without a change before other work starts."""


class Watcher:
    """Watches the folders of some files; edits made between two waits are not lost."""

    def __init__(self) -> None:
        self._files: frozenset[str] = frozenset()
        self._listed: frozenset[str] = frozenset()
        self._written: frozenset[str] = frozenset()
        self._above: frozenset[str] = frozenset()
        """Folders between the root and the files: replacing one replaces its files."""
        self._folders: frozenset[Path] = frozenset()
        self._changes: Iterator[set[tuple[Change, str]]] = iter(())
        self._early = set[str]()
        """The changes that were seen but not returned yet."""

    @property
    def aimed(self) -> bool:
        """Whether every folder is watched; False after one of them was replaced."""
        return bool(self._folders)

    def aim(self, watched: Watched, root: Path) -> bool:
        """Watch these files and folders, most of them below a root.

        Returns True if the set of watched folders has changed: an edit may have been
        missed then, so the caller must look at the files again.

        Raises:
            SystemFault: the system watches no more folders for this user.
        """
        listed = [folder.absolute() for folder in watched.listed]
        paths, root = [*(path.absolute() for path in watched.files), *listed], root.absolute()
        above = {at for path in paths for at in path.parents if root in at.parents}
        self._files = frozenset(str(path) for path in paths)
        self._listed = frozenset(map(str, listed))
        self._written = frozenset(str(path.absolute()) for path in watched.written)
        self._above = frozenset(str(folder) for folder in above)
        parents = {path.parent for path in (*paths, *above)} | {*listed}
        folders = frozenset(_existing(folder) for folder in parents)
        if folders <= self._folders:
            return False
        try:
            self._changes = self._started(folders)
        except FileNotFoundError:
            folders = frozenset()  # one is just being replaced: look again
        except OSError as error:
            raise _unwatched(error) from error
        self._folders = folders
        return True

    def also(self, watched: Watched) -> bool:
        """Watch more files, as if from the start; return False if that needs more folders."""
        files = {path.absolute() for path in (*watched.files, *watched.listed)}
        listed = {path.absolute() for path in watched.listed}
        if not {path.parent for path in files} | listed <= self._folders:
            return False
        self._files |= {*map(str, files)}
        self._listed |= {*map(str, listed)}
        self._written |= {str(path.absolute()) for path in watched.written}
        return True

    def _started(self, folders: frozenset[Path]) -> Iterator[set[tuple[Change, str]]]:
        changes = watch(
            *sorted(folders),
            watch_filter=self._matters,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_DEBOUNCE_MS,
            yield_on_timeout=True,
            recursive=False,
        )
        # The first item starts the watcher; from then on it collects changes by itself.
        next(changes)
        return changes

    def wait(self, idle: Callable[[], None], spoilt: Callable[[], set[str]]) -> set[str]:
        """Block until files change; return their paths, or those of folders above them.

        `idle` is called once nothing has changed for a while. From then on `spoilt` is called now
        and then; it returns changed files that are not watched here.
        """
        ticks = 0
        while not (self._early or self.changed()):
            ticks += 1
            if ticks == _QUIET_TICKS:
                idle()
            if ticks % _QUIET_TICKS == 0:
                self._early |= spoilt()
        changed, self._early = self._early, set()
        if changed & self._above:
            self._folders = frozenset()  # a folder that was replaced is no longer watched
        return changed

    def changed(self) -> bool:
        """Check for a moment whether files change; `wait` then returns these at once."""
        self._early |= {path for _, path in next(self._changes)}
        return bool(self._early)

    def _matters(self, _change: Change, path: str) -> bool:
        if path in self._files or path in self._above:
            return True
        folder, name = os.path.split(path)
        return folder in self._listed and not name.startswith(".") and path not in self._written


class OutputWatcher:
    """Notices changes of the files that builds write."""

    def __init__(self) -> None:
        self._outputs: frozenset[str] = frozenset()
        self._folders: frozenset[str] = frozenset()
        self._aimed: frozenset[str] = frozenset()
        """The folders that are watched."""
        self._changes: Iterator[set[tuple[Change, str]]] = iter(())

    def aim(self, written: frozenset[Path]) -> None:
        """Watch files that builds write and the folders above them, if they exist."""
        paths = frozenset(str(path.absolute()) for path in written)
        self._outputs = paths - frozenset(map(os.path.dirname, paths))
        self._folders = frozenset(map(os.path.dirname, self._outputs))
        self.renew()

    def renew(self) -> None:
        """Watch folders that have been made or replaced; none if the system allows no more."""
        aimed = frozenset(folder for folder in self._folders if Path(folder).is_dir())
        if not aimed or aimed == self._aimed:
            return
        self._aimed, self._changes = aimed, iter(())
        with suppress(OSError):
            changes = watch(
                *sorted(aimed),
                watch_filter=lambda _, path: path in self._outputs or path in self._folders,
                debounce=_DEBOUNCE_MS,
                step=_STEP_MS,
                rust_timeout=1,
                yield_on_timeout=True,
                recursive=False,
            )
            next(changes)
            self._changes = changes

    def changed(self) -> set[str]:
        """Return the files that have changed since this was last asked."""
        changed = {path for _, path in next(self._changes, set())}
        if changed & self._folders:
            self._aimed = frozenset()  # a folder that was replaced is no longer watched
        return changed - self._folders


def _existing(folder: Path) -> Path:
    """The folder, or the nearest parent that exists."""
    return next(f for f in (folder, *folder.parents) if f.is_dir())


def _unwatched(error: OSError) -> SystemFault:
    return SystemFault(
        f"changes of files cannot be watched: {(error.strerror or str(error)).lower()}",
        hint="on Linux, `sysctl fs.inotify` shows how much a user may watch",
    )
