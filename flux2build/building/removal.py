"""Decides which files may be removed: only those that flux2build provably wrote.

The lock alone is not proof, because a stranger may have written it. It is trusted below the output
folders, and elsewhere only with the store, which is the user's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Sequence

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.errors import Problem
from flux2build.lockfile import Lockfile
from flux2build.storage import paths


class Removal(Struct, frozen=True):
    """Decides whether the file of a row in the lock may be removed."""

    kept: Callable[[str], str | None]
    """The role of a file in the project, if it is not one of its outputs."""
    folders: Sequence[str]
    """The output folders, of all profiles."""
    tracked: Container[str]
    """The files that git tracks."""
    stored: Callable[[Digest], bool]
    """Whether the user's store holds some bytes."""
    shared: frozenset[str]
    """The paths that occur in several rows of the lock."""

    def refusal(self, path: str, digest: Digest, *, requested: bool) -> Problem | None:
        """The problem that keeps a file from being removed; None if it may be removed.

        `requested` says that a person asked for its removal.
        """
        if what := self.kept(path):
            return Problem(f"`{path}` stays: it is {what}")
        if path in self.shared:
            return Problem(f"`{path}` stays: the lock has it more than once")
        if self._proved(path, digest, requested=requested):
            return None
        if path in self.tracked:
            hint = f"`git rm -- '{path}'` removes it"
            return Problem(f"`{path}` stays: git tracks it, and it may not be ours", hint=hint)
        hint = f"`rm -- '{path}'` removes it"
        return Problem(f"`{path}` stays: nothing proves that it was written here", hint=hint)

    def _proved(self, path: str, digest: Digest, *, requested: bool) -> bool:
        below = [folder for folder in self.folders if folder == "." or _below(path, folder)]
        named = any(folder != "." for folder in below)
        if named and requested:
            return True
        untracked = path not in self.tracked
        if untracked and (named or (requested and below)):
            return True
        return self.stored(digest) and (untracked or bool(below))


def _below(path: str, folder: str) -> bool:
    return paths.fold(path).startswith(f"{paths.fold(folder)}/")


def shared(lock: Lockfile, same: Callable[[str, Sequence[str]], bool]) -> frozenset[str]:
    """The paths that occur in several rows of a lock.

    `same` says whether the disk takes a path for one of some others.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for row in (row for block in lock.blocks.values() for row in block.rows):
        alike[paths.fold(row.output.path)].append(row.output.path)
    several = (each for each in alike.values() if len(each) > 1)
    return frozenset(
        path
        for each in several
        for path, count in Counter(each).items()
        if count > 1 or same(path, [other for other in each if other != path])
    )


def removable(
    removal: Callable[[], Removal], say: Callable[[str], object]
) -> Callable[[str, Digest], bool]:
    """Whether the file at a picture's old path may be removed; if not, `say` gets the reason."""

    def may_go(path: str, digest: Digest) -> bool:
        problem = removal().refusal(path, digest, requested=False)
        if problem is not None:
            say("; ".join(filter(None, (problem.message, problem.hint))))
        return problem is None

    return may_go
