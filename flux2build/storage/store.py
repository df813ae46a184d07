"""Content-addressed bytes: files by their `sha256`, hashed again on every read.

The bytes in here were paid for. Nothing is ever evicted, and damaged files are
moved aside, not deleted.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import threading
import weakref
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import Final

from flux2build.digest import Digest, of_bytes, short
from flux2build.errors import SystemFault
from flux2build.storage import durable, locks, probe

_DIGEST: Final = r"sha256:[0-9a-f]{64}"
_READ_ONLY: Final = 0o444
_MANY: Final = 1_000
"""The number of files from which on listing their folders is faster."""


class LostError(SystemFault):
    """The store does not hold some bytes, or they are damaged."""


class DamagedError(SystemFault):
    """A store that others write has other bytes than the requested ones."""


class Store:
    """A folder of bytes by their digest, shared by all processes of a user."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._durable: set[Path] = set()
        """Subfolders whose names are known to be durable."""
        self._guard = threading.Lock()
        self._joined = False

    @property
    def folder(self) -> Path:
        """The folder of the store."""
        return self._folder

    def path(self, digest: Digest) -> Path:
        """Return the path at which the bytes of a digest lie, or would lie."""
        if not re.fullmatch(_DIGEST, digest):
            raise ValueError(f"no digest: {digest}")
        name = digest.removeprefix("sha256:")
        return self._folder / "sha256" / name[:2] / name[2:]

    def has(self, digest: Digest) -> bool:
        """Whether a file exists for a digest; only reading shows whether it is intact."""
        return os.path.isfile(self.path(digest))  # noqa: PTH113 - `Path` raises where it may not look

    def among(self, digests: AbstractSet[Digest]) -> set[Digest]:
        """Return the digests for which a file exists."""
        if len(digests) < _MANY:
            return set(filter(self.has, digests))
        present = set[Digest]()
        for number in range(256):
            with suppress(OSError), os.scandir(self._folder / "sha256" / f"{number:02x}") as files:
                for file in files:
                    digest = Digest(f"sha256:{number:02x}{file.name}")
                    if digest in digests and file.is_file():
                        present.add(digest)
        return present

    def put(self, data: bytes) -> Digest:
        """Store bytes durably and return their digest; an intact file is not written again.

        Raises:
            SystemFault: they cannot be written.
        """
        digest = of_bytes(data)
        path = self.path(digest)
        if self._intact(digest) == data:
            # Another process may have renamed it here and not yet synced the folder.
            _sync(path.parent)
        else:
            self._join()
            # Sweeping one folder takes the same time in a store of thousands; it is on the same disk.
            durable.replace(path, data, _READ_ONLY, path.parents[1])
        self._make_durable(path.parent)
        return digest

    def get(self, digest: Digest) -> bytes:
        """Return the bytes of a digest.

        Raises:
            LostError: there are none, or they were damaged and are now moved aside.
            SystemFault: they cannot be read.
        """
        data = self._intact(digest)
        if data is None:
            raise LostError(
                f"the store has no intact bytes for `{short(digest)}`",
                rows=(("digest", digest), ("store", str(self._folder))),
                hint="`git log --all -- PATH` may still have the file; "
                "`flux2build doctor` lists what is damaged",
            )
        return data

    def digests(self) -> Iterator[Digest]:
        """Return every digest for which a file exists, sorted."""
        subfolder = self._folder / "sha256"
        for path in sorted(subfolder.glob("[0-9a-f][0-9a-f]/*")):
            digest = f"sha256:{path.parent.name}{path.name}"
            if re.fullmatch(_DIGEST, digest):
                yield Digest(digest)

    def damaged(self) -> list[Path]:
        """Return the damaged files that were moved aside, sorted."""
        return sorted(self._folder.glob("damaged/*"))

    def prove(self) -> None:
        """Prove that bytes can be stored, and leave nothing behind.

        Raises:
            SystemFault: they cannot.
        """
        folder = self._folder / "sha256"
        probe.takes_files(folder)
        for subfolder in folder.glob("[0-9a-f][0-9a-f]"):
            if not os.access(subfolder, os.W_OK | os.X_OK):
                denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                raise durable.fault("write to", subfolder, denied)

    def _join(self) -> None:
        """Join the processes that write here; one that is alone removes files a crash left unfinished.

        If files cannot be locked, nothing is removed, because other processes may be writing it.
        """
        if sys.platform == "win32":  # pragma: no cover - locks cannot be shared there
            return
        with self._guard, suppress(OSError):
            if self._joined:
                return
            self._joined = True
            durable.folder(self._folder, 0o700)
            file = locks.opened(self._folder / "lock", 0o600)
            weakref.finalize(self, os.close, file)
            if locks.try_lock(file):
                durable.sweep(self._folder / "sha256")
            locks.share(file)

    def _make_durable(self, subfolder: Path) -> None:
        """Make the name of a subfolder durable, the first time that it is used."""
        if subfolder in self._durable:
            return
        try:
            durable.sync_upwards(subfolder, subfolder if self._durable else self._folder.parent)
        except OSError as error:
            raise durable.fault("write", subfolder, error) from error
        self._durable.add(subfolder)

    def _intact(self, digest: Digest) -> bytes | None:
        """Return the bytes of a digest, or None; a damaged file is moved aside."""
        path = self.path(digest)
        try:
            data = _read(path)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR}:
                return None
            raise durable.fault("read", path, error) from error
        if data is not None and of_bytes(data) == digest:
            return data
        self._move_aside(path, digest)
        return None

    def _move_aside(self, path: Path, digest: Digest) -> None:
        aside = self._folder / "damaged" / f"{digest.removeprefix('sha256:')}-{os.urandom(4).hex()}"
        try:
            durable.folder(aside.parent, 0o700)
            path.replace(aside)
            durable.sync(path.parent)
        except OSError:
            return  # on a read-only disk it stays, and stays refused


def _read(path: Path) -> bytes | None:
    """Return the bytes of a regular file; None for anything else, without blocking on it."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(file, "rb") as opened:
        return opened.read() if stat.S_ISREG(os.fstat(file).st_mode) else None


def _sync(folder: Path) -> None:
    try:
        durable.sync(folder)
    except OSError as error:
        raise durable.fault("write", folder, error) from error
