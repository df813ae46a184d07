"""Which files may be removed: those that flux2build is proved to have written.

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
    """Decides whether a file that a row of the lock holds may be removed."""

    kept: Callable[[str], str | None]
    """What a file is to the project, if it is none of its outputs."""
    folders: Sequence[str]
    """The output folders, of all profiles."""
    tracked: Container[str]
    """The files that git tracks."""
    stored: Callable[[Digest], bool]
    """Whether the user's store holds some bytes."""
    shared: frozenset[str]
    """The paths of files that several rows of the lock hold."""

    def refusal(self, path: str, digest: Digest, *, asked: bool) -> Problem | None:
        """Why a file has to stay; None if it may be removed.

        `asked` is whether a person asked for its removal.
        """
        if what := self.kept(path):
            return Problem(f"`{path}` stays: it is {what}")
        if path in self.shared:
            return Problem(f"`{path}` stays: the lock has it more than once")
        if self._proved(path, digest, asked=asked):
            return None
        if path in self.tracked:
            hint = f"`git rm -- '{path}'` removes it"
            return Problem(f"`{path}` stays: git tracks it, and it may not be ours", hint=hint)
        hint = f"`rm -- '{path}'` removes it"
        return Problem(f"`{path}` stays: nothing proves that it was written here", hint=hint)

    def _proved(self, path: str, digest: Digest, *, asked: bool) -> bool:
        below = [folder for folder in self.folders if folder == "." or _below(path, folder)]
        named = any(folder != "." for folder in below)
        if named and asked:
            return True
        untracked = path not in self.tracked
        if untracked and (named or (asked and below)):
            return True
        return self.stored(digest) and (untracked or bool(below))


def _below(path: str, folder: str) -> bool:
    return paths.fold(path).startswith(f"{paths.fold(folder)}/")


def shared(lock: Lockfile, same: Callable[[str, Sequence[str]], bool]) -> frozenset[str]:
    """The paths of files that several rows of a lock hold.

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
        problem = removal().refusal(path, digest, asked=False)
        if problem is not None:
            say("; ".join(filter(None, (problem.message, problem.hint))))
        return problem is None

    return may_go
