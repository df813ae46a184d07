"""The user's files: finding them, reading them, and replacing outputs."""

from __future__ import annotations

import os
import shlex
import stat
import time
from collections.abc import Container, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from flux2build.digest import Digest, of_bytes
from flux2build.errors import Place, Problem, SpecError, SystemFault, UsageError
from flux2build.storage import durable, paths, regular, user_folders
from flux2build.storage.index import Row, row_of
from flux2build.storage.lfs import LFS_MOST, lfs_target
from flux2build.storage.listing import listing
from flux2build.storage.paths import is_foreign
from flux2build.storage.project_files import LARGEST, Kind, too_large

SPEC_NAME: Final = "assets.toml"
_FILE: Final = Kind.FILE.value
_MANY: Final = 32
"""The number of files from which on listing a folder is faster than looking at each file."""
_OPEN: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def home() -> Path:
    """Return the folder of ledger and store: `FLUX2BUILD_HOME`, or the user's data folder.

    Raises:
        UsageError: it is relative, and would be a different folder in each current folder.
        SystemFault: its place is unknown, as for a user without a name and without `HOME`.
    """
    named = os.environ.get("FLUX2BUILD_HOME")
    try:
        folder = (
            Path(os.path.expanduser(named))  # if no user has that name, `Path` raises
            if named
            else user_folders.data_folder()
        )
    except RuntimeError:
        raise SystemFault(
            "there is no home folder to keep store and ledger in",
            hint="set `HOME`, or `FLUX2BUILD_HOME` to a folder that stays",
        ) from None
    if not folder.is_absolute():
        whole = shlex.quote(str(folder.absolute()))
        raise UsageError(
            f"store and ledger would lie in `{folder}`, which is another place in every folder",
            hint=f"name the folder in full: `export FLUX2BUILD_HOME={whole}`",
        )
    return folder


def temporary_folder() -> Path:
    """Return the folder for temporary files; the same one for every run, and not tried by writing."""
    named = (os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP"))
    return Path(next(filter(os.path.isabs, named), os.path.abspath("/tmp")))  # noqa: S108 - if nothing better is named


def root_of(folder: Path) -> Path:
    """Return the project root: the nearest folder upwards with a `.git`, else the folder itself."""
    here = folder.resolve()
    return next((at for at in (here, *here.parents) if (at / ".git").exists()), here)


def find_spec(start: Path) -> Path | None:
    """Find the nearest `assets.toml` from a folder upwards to the project root."""
    here = start.absolute()
    for folder in (here, *here.parents):
        if (folder / SPEC_NAME).is_file():
            return folder / SPEC_NAME
        if (folder / ".git").exists():
            return None
    return None


def named_spec(named: str) -> Path:
    """Return the path of a spec that the user named.

    Raises:
        UsageError: there is no such file.
    """
    path = Path(named).absolute()
    if path.is_file():
        return path
    if not path.is_dir():
        raise UsageError(f"there is no spec at `{named}`", hint=regular.beside(Path(named)))
    inside = Path(named) / SPEC_NAME
    hint = f"did you mean `{inside}`?" if inside.is_file() else "name a file"
    raise UsageError(f"`{named}` is a folder", hint=hint)


def from_folder(folder: Path, word: str) -> str:
    """Return the path of a file as it is named from a folder; any other word as it is.

    A word that names a file from the folder already, or no file from the current one, stays.
    """
    path = Path(word)
    if not {"/", os.sep, "."} & set(word) or (folder / word).is_file() or not path.is_file():
        return word
    return Path(os.path.relpath(path.absolute(), folder)).as_posix()


def replace(path: Path, data: bytes) -> None:
    """Replace an output or the lock durably; a link at its path is replaced, not followed.

    Raises:
        SystemFault: the disk is full, read-only or broken, or the folder is not ours.
    """
    durable.replace(path, data)


class DiskFiles:
    """The files of a project; links are followed as long as they stay below its root.

    `asked` holds the state of every path that was looked up: the digest of the bytes that were
    read, or the path's kind; a folder whose names were read has a `/` at its end. Comparing these
    states later shows whether anything has changed.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder, self._root = folder.resolve(), root.resolve()
        self._at = str(self._folder)
        self._inside: dict[str, bool] = {}
        self._names: dict[str, list[str]] = {}
        self._times: dict[str, int] = {}
        """How many paths in a folder were looked up."""
        self._plain: dict[str, frozenset[str]] = {}
        self.asked: dict[str, str] = {}
        self.rows: dict[str, Row] = {}
        """The rows for the index of the files that were read."""

    def kind(self, path: str) -> Kind:
        """Return the kind of a path, links followed."""
        kind = self._kind(path)
        if path not in self.asked:
            self.asked[path] = kind.value
        return kind

    def names(self, folder: str) -> list[str]:
        """Return the sorted names in a folder; empty if the path is not a folder."""
        if folder not in self._names:
            readable = self._kind(folder) is Kind.FOLDER
            try:
                self._names[folder] = sorted(os.listdir(self._folder / folder)) if readable else []
            except OSError:
                self._names[folder] = []
        return self._names[folder]

    def entries(self, folder: str) -> list[tuple[str, bool]]:
        """Return the names in a folder, each with whether it is a folder itself, sorted.

        Hidden ones are left out, and folders that are links or hold others' files.
        """
        if (kind := self._kind(folder)) is not Kind.FOLDER:
            self.asked[f"{folder}/"] = kind.value
            return []
        try:
            with os.scandir(self._folder / folder) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError:
            entries = []
        self.asked[f"{folder}/"] = listing([entry.name for entry in entries])
        return [
            (entry.name, is_folder)
            for entry in entries
            if not entry.name.startswith(".")
            and not (
                (is_folder := entry.is_dir()) and (entry.is_symlink() or is_foreign(entry.name))
            )
        ]

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """Return the bytes of a file.

        Raises:
            SpecError: there is no readable file of at most so many bytes at the path.
        """
        if self.asked.get(path) != _FILE and (kind := self.kind(path)) is not Kind.FILE:
            raise _unreadable(path, _WHY[kind])
        try:
            now, file = time.time_ns(), os.open(os.path.join(self._at, path), _OPEN)
            try:
                status = os.fstat(file)
                if not stat.S_ISREG(status.st_mode):
                    raise _unreadable(path, _WHY[Kind.SPECIAL])
                if status.st_size > most:
                    raise _unreadable(path, too_large(status.st_size, most))
                data, after = _whole(file, status.st_size), os.fstat(file)
            finally:
                os.close(file)
        except OSError as error:
            raise _unreadable(path, (error.strerror or str(error)).lower()) from error
        self.asked[path] = digest = of_bytes(data)
        self.rows[path] = row_of(digest, now, status, after)
        return data

    def inside(self, path: str) -> bool:
        """Whether a path lies below the folder of the spec, links followed."""
        whole = os.path.join(self._at, path)
        try:
            return not path.startswith("../") and self._contained(whole)
        except (OSError, ValueError, RuntimeError):
            return False

    def real(self, path: str) -> str | None:
        """The real path, from the folder of the spec; None for a link, or if it leads away."""
        whole = os.path.join(self._at, path)
        if not self.inside(path) or os.path.islink(whole):
            return None
        return os.path.relpath(os.path.realpath(whole), self._folder).replace(os.sep, "/")

    def same(self, path: str, others: Iterable[str]) -> bool:
        """Whether a path is another name for one of some files: another spelling, or a link."""
        with suppress(OSError, ValueError):
            mine = os.stat(os.path.join(self._at, path))
            for other in others:
                with suppress(OSError, ValueError):
                    if os.path.samestat(mine, os.stat(os.path.join(self._at, other))):
                        return True
        return False

    def lfs_target(self, path: str) -> Digest | None:
        """Return the digest in a Git LFS pointer at a path; None for any other file."""
        try:
            with regular.opened(os.path.join(self._at, path)) as file:
                head = file.read(LFS_MOST + 1)
        except OSError:
            return None
        target = lfs_target(head)
        return Digest(target) if target else None

    def _kind(self, path: str) -> Kind:
        folder, _, name = path.rpartition("/")
        plain = self._plain.get(folder)
        if name in (self._files_in(folder) if plain is None else plain):
            return Kind.FILE
        whole = os.path.join(self._at, path)
        try:
            if not self._contained(whole):
                return Kind.OUTSIDE
            mode = os.stat(whole).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return Kind.MISSING
        except (OSError, ValueError, RuntimeError):
            return Kind.SPECIAL  # a cycle of links, an impossible name, no permission
        if stat.S_ISREG(mode):
            return Kind.FILE
        return Kind.FOLDER if stat.S_ISDIR(mode) else Kind.SPECIAL

    def _files_in(self, folder: str) -> Container[str]:
        """The plain files in a folder, once many of them were looked up; empty before."""
        times = self._times[folder] = self._times.get(folder, 0) + 1
        if times == _MANY:
            whole = os.path.join(self._at, folder)
            with suppress(OSError, ValueError):
                if self._below_root(Path(whole).resolve()):
                    with os.scandir(whole) as listed:
                        self._plain[folder] = frozenset(
                            entry.name
                            for entry in listed
                            if entry.is_file(follow_symlinks=False)
                            and not paths.kept_out(entry.name)
                        )
        return self._plain.get(folder, frozenset())

    def _contained(self, path: str) -> bool:
        """Whether a path lies below the root, links followed; each folder is resolved once."""
        parent, name = os.path.split(path)
        if name in {"", ".", ".."} or os.path.islink(path):
            return self._below_root(Path(path).resolve())
        if parent not in self._inside:
            self._inside[parent] = self._below_root(Path(parent).resolve())
        return self._inside[parent] and not paths.kept_out(name)

    def _below_root(self, real: Path) -> bool:
        """Whether a resolved path lies below the root, and not in git's or flux2build's folder."""
        if not real.is_relative_to(self._root):
            return False
        return not any(map(paths.kept_out, real.relative_to(self._root).parts))


_WHY: Final = {
    Kind.MISSING: "it is missing",
    Kind.FOLDER: "it is a folder",
    Kind.OUTSIDE: "it lies outside the project",
    Kind.SPECIAL: "it is not a regular file",
}


def _whole(file: int, size: int) -> bytes:
    """All bytes of a file; opening a file object takes longer than reading most files."""
    data = os.read(file, size + 1)
    while len(data) != size and (chunk := os.read(file, size + 1)):
        data += chunk
    return data


def _unreadable(path: str, why: str) -> SpecError:
    return SpecError(Problem(f"`{path}` cannot be read: {why}", Place(path)))
