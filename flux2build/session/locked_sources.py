"""The sources of a project and its lock, each read at most once."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain

from flux2build.digest import Digest
from flux2build.errors import LockError
from flux2build.lockfile import Lockfile, conflict_line, decoded, unconflicted
from flux2build.model import Recipe, Source
from flux2build.session.checkout import documents
from flux2build.session.sources import Sources
from flux2build.storage import durable, regular

LockAsRead = Lockfile | tuple[Lockfile, Lockfile, int]


class LockedSources(Sources, frozen=True, eq=False, dict=True):
    """One reading of a spec and of its lock, even after an unfinished merge."""

    earlier: tuple[bytes, LockAsRead] | None = None
    """The bytes and the content of the lock when it was last read."""

    @cached_property
    def lock(self) -> Lockfile:
        """The parsed lock; empty before the first build.

        Both sides of a merge conflict are reconciled according to the spec.

        Raises:
            LockError: it is damaged, or newer than this flux2build.
        """
        if isinstance(self._lock_as_read, Lockfile):
            return self._lock_as_read
        from flux2build.planning.reconcile import reconciled

        ours, theirs, _ = self._lock_as_read
        profiles = {profile for lock in (ours, theirs) for _, profile in lock.blocks}
        recipes = dict(self.other_profiles(profiles))
        recipes[self.spec.profile] = self.graph.ordered
        return reconciled(recipes, ours, theirs, self._digests(recipes.values(), (ours, theirs)))

    @cached_property
    def _lock_as_read(self) -> LockAsRead:
        """The lock, or both sides of a merge in it, with the first line of the other side."""
        if self.earlier is not None and self.earlier[0] == self.lock_bytes:
            return self.earlier[1]
        text, name = self._lock_text, self.lock_path.name
        if not text:
            return Lockfile()
        if self.conflict is not None:
            from flux2build.lockfile.merge import sides

            return *sides(text, name), self.conflict
        try:
            return unconflicted(text, name)
        except LockError:
            from flux2build.lockfile.merge import doubled

            if (parts := doubled(text, name)) is None:
                raise
            return parts

    @property
    def conflicted(self) -> bool:
        """Whether the lock holds both sides of a merge."""
        return self.conflict is not None or self.doubled is not None

    @property
    def doubled(self) -> int | None:
        """The line of the lock at which the other side of a merge without markers starts."""
        lock = self._lock_as_read
        return None if self.conflict is not None or isinstance(lock, Lockfile) else lock[2]

    @cached_property
    def conflict(self) -> int | None:
        """The line of the lock at which a merge left its first marker."""
        return conflict_line(self._lock_text)

    @cached_property
    def lock_bytes(self) -> bytes:
        """The bytes of the lock; empty if there is none.

        Raises:
            SystemFault: it cannot be read.
        """
        try:
            return regular.read(self.lock_path)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise durable.fault("read", self.lock_path.name, error) from error

    @cached_property
    def wrote_lock(self) -> bool:
        """Whether the lock is known to have the text that this flux2build writes."""
        return False

    @cached_property
    def _lock_text(self) -> str:
        """The text of the lock with its original line ends, even if git changed them."""
        return decoded(self.lock_bytes, self.lock_path.name)

    def files(self) -> Mapping[str, Digest]:
        """Digests of every source and output, through the stat cache."""
        return self._files

    @cached_property
    def _files(self) -> Mapping[str, Digest]:
        return self._digests((self.spec.recipes,), (self.lock,))

    def _digests(
        self, recipe_lists: Iterable[Sequence[Recipe]], locks: Iterable[Lockfile]
    ) -> dict[str, Digest]:
        paths: set[str] = set()
        for recipe in chain.from_iterable(recipe_lists):
            paths.add(recipe.output)
            paths |= {source.path for source in recipe.inputs if isinstance(source, Source)}
        blocks = [block for lock in locks for block in lock.blocks.values()]
        locked = {row.output.path for block in blocks for row in block.rows} - paths
        # The lock may come from a stranger: paths outside the folder are not looked at.
        paths |= {path for path in locked if self.tree.inside(path)}
        known_digests = self.index.digests(sorted(paths))
        digests = {path: Digest(digest) for path, digest in known_digests.items()}
        return digests | documents(self.tree, digests, blocks)


class Bytes(Container[Digest]):
    """The digests of files, which few plans need."""

    def __init__(self, files: Mapping[str, Digest]) -> None:
        self._files = files

    @cached_property
    def _digests(self) -> frozenset[Digest]:
        return frozenset(self._files.values())

    def __contains__(self, digest: object) -> bool:
        return digest in self._digests
