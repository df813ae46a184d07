"""The bytes that a build can use without making them: the store, the work tree, and git."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import Digest, of_bytes
from flux2build.errors import SystemFault
from flux2build.storage import disk, durable, regular
from flux2build.storage.lfs import is_lfs_pointer
from flux2build.storage.store import LostError, Store

if TYPE_CHECKING:
    from flux2build.sharing.lookup import Lookup
    from flux2build.storage.copies import Copies


class Artifacts(Struct, frozen=True):
    """The bytes at hand: those in the store, and those in files of the work tree."""

    folder: Path
    store: Store
    paths: dict[Digest, str]
    """The paths of bytes in the work tree; the build keeps them up to date."""
    free: Container[Digest] = frozenset()
    """Bytes that can be derived again for free, so the store need not keep them."""
    ours: Container[tuple[str, Digest]] = frozenset()
    """The files that agree with the lock, each by path and bytes."""
    replaced: dict[str, Digest] = field(default_factory=dict)
    """The bytes of replaced files that flux2build did not write, by path; the store has them."""
    copies: Callable[[], Copies | None] = lambda: None
    """Copies of bytes that are nowhere else; few builds have to look there."""
    team: Lookup | None = None
    """The known contents of the team's store."""
    failed: Callable[[], None] = lambda: None
    """Called when a file could not be written."""

    def has(self, digest: Digest) -> bool:
        """Whether the bytes are at hand."""
        if digest in self.paths or self.store.has(digest) or self.far(digest):
            return True
        copies = self.copies()
        return copies is not None and copies.has(digest)

    def far(self, digest: Digest) -> bool:
        """Whether the team's store is known to have the bytes."""
        return self.team is not None and self.team.knows(digest)

    def bring(self, digests: Iterable[Digest]) -> None:
        """Fetch bytes that this machine lacks from the team's store, many at once."""
        if self.team is not None:
            here = replace(self, team=None)
            self.team.each(self._copy, (digest for digest in digests if not here.has(digest)))

    def get(self, digest: Digest) -> bytes:
        """Return the bytes, verified by hashing them again.

        Raises:
            SystemFault: neither the store nor the work tree still holds them.
        """
        path = self.paths.get(digest)
        if path is None:
            return self._stored(digest)
        data = self._read(path)
        # Git may have changed the line ends of a document.
        for each in () if data is None else (data, data.replace(b"\r\n", b"\n")):
            if of_bytes(each) == digest:
                return each
        if self.store.has(digest):
            return self._stored(digest)
        if data is not None and is_lfs_pointer(data):
            raise SystemFault(f"`{path}` is a Git LFS pointer", hint="`git lfs pull` fetches it")
        hint = "run the build again; it reads the files again"
        raise SystemFault(f"`{path}` changed while building", hint=hint)

    def _stored(self, digest: Digest) -> bytes:
        """The bytes in the store, or a copy if the store lacks them or has damaged ones."""
        if not self.store.has(digest) and (copy := self._copy(digest)) is not None:
            return copy
        try:
            return self.store.get(digest)
        except LostError:
            if (copy := self._copy(digest)) is not None:
                return copy
            raise

    def _copy(self, digest: Digest) -> bytes | None:
        """The bytes from the team's store, or from elsewhere if it lacks them or has other ones."""
        try:
            data = None if self.team is None else self.team.read(digest)
        except SystemFault as fault:
            if self.team is None or (data := self._elsewhere(digest)) is None:
                raise
            self.team.tell(fault)
            return data
        if data is None:
            return self._elsewhere(digest)
        if digest not in self.free:
            self.store.put(data)
        return data

    def _elsewhere(self, digest: Digest) -> bytes | None:
        copies = self.copies()
        return None if copies is None else copies.read(digest)

    def replace(self, path: str, data: bytes) -> Digest:
        """Write a file durably, after putting the file that it replaces into the store.

        Raises:
            SystemFault: the disk does not allow it.
        """
        digest = of_bytes(data)
        try:
            before = self._keep(path)
            disk.replace(self.folder / path, data)
        except SystemFault:
            self.failed()
            raise
        if before not in {None, digest} and (path, before) not in self.ours:
            self.replaced[path] = before
        self.paths[digest] = path
        return digest

    def remove(self, path: str) -> None:
        """Remove a file, after putting it into the store.

        Raises:
            SystemFault: the disk does not allow it.
        """
        self._keep(path)
        try:
            self.folder.joinpath(path).unlink(missing_ok=True)
        except OSError as error:
            raise durable.fault("remove", path, error) from error

    def _keep(self, path: str) -> Digest | None:
        """Put a file that is about to disappear into the store; return the digest of its bytes."""
        data = None if self.folder.joinpath(path).is_symlink() else self._read(path)
        if data is None:
            return None
        digest = of_bytes(data)
        if digest not in self.free or (path, digest) not in self.ours:
            self.store.put(data)
        if self.paths.get(digest) == path:
            del self.paths[digest]
        return None if is_lfs_pointer(data) else digest

    def _read(self, path: str) -> bytes | None:
        """The bytes of a regular file, if there is one."""
        target = self.folder / path
        try:
            return regular.read(target) if target.is_file() else None
        except OSError as error:
            raise durable.fault("read", path, error) from error
