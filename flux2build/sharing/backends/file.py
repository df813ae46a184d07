"""A folder, such as a shared disk: `file:///mnt/team`."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from flux2build.errors import UsageError
from flux2build.sharing.contract import Access, Backend, Kind, Listed, Unreachable, plain
from flux2build.sharing.keys import Space, checked, is_key, most
from flux2build.storage import durable, regular

T = TypeVar("T")

_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_UNFINISHED: Final = f"{durable.TEMPORARY}*.tmp"
_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL}
)
"""The errors of a disk that does not support a second name for a file."""


class Folder:
    """Values as files whose paths are their keys; the folder itself is never created.

    If the shared disk is not mounted, an empty store in its place would hide every claim.
    """

    keeps_bytes = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none."""
        path = self._path(key)
        return self._unless_absent(lambda: regular.read(path, most(key)))

    def has(self, key: str) -> bool:
        """Whether there is a value."""
        return self._unless_absent(self._path(key).lstat) is not None

    def put(self, key: str, data: bytes) -> None:
        """Write a value, whole or not at all; an earlier one is replaced."""
        path = self._path(key)
        self._reached(lambda: self._replace(path, data))

    def create(self, key: str, data: bytes) -> bool:
        """Write the first value of a key, atomically; False if there is one already."""
        path = self._path(key)
        return self._reached(lambda: self._create(path, data))

    def creates_once(self, key: str, one: bytes, other: bytes) -> bool:
        """Whether exactly one of two requests to create a key succeeds."""
        return self.create(key, one) and not self.create(key, other)

    def delete(self, key: str) -> None:
        """Remove a value; it need not be there."""
        self._unless_absent(self._path(key).unlink)

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys that begin with a prefix, in any order."""
        space = prefix.partition("/")[0]
        paths = self._unless_absent(lambda: [*(self._folder / space).iterdir()]) or []
        for key in (f"{space}/{path.name}" for path in paths):
            if not is_key(key) or not key.startswith(prefix):
                continue
            path = self._path(key)
            if status := self._unless_absent(path.stat):
                yield Listed(key, status.st_size, status.st_mtime)

    def sweep(self, before: float, *, remove: bool) -> int:
        """Count the temporary files of writers that died before a moment, and `remove` them."""
        if not remove:
            return self._reached(lambda: len(self._unfinished(before)))
        return self._reached(lambda: sum(map(_remove, self._unfinished(before))))

    def _unfinished(self, before: float) -> Sequence[Path]:
        files = (file for space in Space for file in self._folder.glob(f"{space}/{_UNFINISHED}"))
        dated = [(file, self._unless_absent(file.lstat)) for file in files]
        return [file for file, status in dated if status and status.st_mtime < before]

    def at_once(self) -> AbstractContextManager[None]:
        """Answer each question by itself."""
        return nullcontext()

    def _path(self, key: str) -> Path:
        return self._folder / checked(key)

    def _replace(self, path: Path, data: bytes) -> None:
        self._prepare(path.parent)
        temporary = _written_beside(path, data)
        try:
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        durable.sync(path.parent)

    def _create(self, path: Path, data: bytes) -> bool:
        self._prepare(path.parent)
        temporary = _written_beside(path, data)
        try:
            _link(temporary, path, data)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        durable.sync(path.parent)
        return True

    def _prepare(self, space: Path) -> None:
        """Create the folder of a space, with the permissions of the store's folder."""
        if space.is_dir():
            return
        mode = self._folder.stat().st_mode & 0o7777
        space.mkdir(exist_ok=True)
        space.chmod(mode)
        durable.sync(self._folder)

    def _unless_absent(self, call: Callable[[], T]) -> T | None:
        """The result of a call; None where a file is missing, but the store is there."""

        def asked() -> T | None:
            try:
                return call()
            except OSError as error:
                if error.errno in _ABSENT and self._folder.is_dir():
                    return None
                raise

        return self._reached(asked)

    def _reached(self, call: Callable[[], T]) -> T:
        """The result of a call.

        Raises:
            Unreachable: the disk refuses.
        """
        try:
            return call()
        except OSError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: OSError) -> Unreachable:
        if not self._folder.is_dir():
            return Unreachable(
                f"the team's store is not there: `{self._folder}` is not a folder",
                hint=f"mount it, or for a new store: `mkdir -p {shlex.quote(str(self._folder))}`",
            )
        why = (error.strerror or str(error)).lower()
        message = f"the team's store cannot be used: `{error.filename or self._folder}`: {why}"
        return Unreachable(message, hint=durable.way_out(error))


def _remove(file: Path) -> bool:
    """Remove a file; return whether it was still there."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True


def _written_beside(path: Path, data: bytes) -> Path:
    """A new file with the bytes, complete and synced, beside the path that it will get."""
    temporary = path.parent / f"{durable.TEMPORARY}{os.urandom(8).hex()}.tmp"
    try:
        durable.write_new(temporary, data)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _link(temporary: Path, path: Path, data: bytes) -> None:
    """Give a complete file its name, unless that name is taken.

    Raises:
        FileExistsError: there is.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # An exclusive file is unique, too; if a crash leaves it incomplete, it counts as damaged.
        durable.write_new(path, data)


class FolderKind:
    """Stores in a folder."""

    prefixes: tuple[str, ...] = ("file:",)
    example = "file:///mnt/team/store"

    def open(self, url: str, access: Access) -> Backend:  # noqa: ARG002 - it needs no settings
        """The backend of a URL.

        Raises:
            UsageError: it is not an absolute path of this machine and nothing else.
        """
        parts = urlsplit(url)
        if parts.query or parts.fragment:
            message = f"the URL of `{plain(url)}` names more than a folder, after `?` or `#`"
            raise UsageError(message, hint="in the name of a folder, write `%3F` and `%23`")
        path = os.path.normpath(url2pathname(parts.path))
        far = parts.netloc not in {"", "localhost"}
        if far or "\0" in path or not Path(path).is_absolute() or Path(path).parent == Path(path):
            message = f"`{plain(url)}` names no folder of this machine"
            raise UsageError(message, hint=f"write an absolute path, like `{self.example}`")
        return Folder(Path(path))


BACKEND: Final[Kind] = FolderKind()
