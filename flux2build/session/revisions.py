"""Compares a project with an earlier commit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final, NamedTuple
from urllib.parse import quote

from flux2build.building.artifacts import Artifacts
from flux2build.digest import of_bytes
from flux2build.errors import SystemFault, UsageError
from flux2build.images.formats.contract import PictureError
from flux2build.images.likeness import Likeness, likeness
from flux2build.lockfile import Generated, Lockfile, decoded, loads
from flux2build.lockfile.compare import LockChange, compare
from flux2build.model import Output
from flux2build.session.bytes_at_hand import at_hand
from flux2build.session.common_options import Choice
from flux2build.session.earlier_locks import MOST
from flux2build.session.project import Project
from flux2build.storage.disk import root_of
from flux2build.storage.lfs import lfs_target
from flux2build.storage.repository import Repository

FETCH: Final = "`git fetch --unshallow` fetches the rest; a workflow says `fetch-depth: 0`"
"""The hint for a clone without all commits."""

_TASK: Final = re.compile(rb'^receipt\.task = "([^"\\]+)"', re.MULTILINE)
_HERE: Final = frozenset({"HEAD", "@"})
"""The names of the commit that is checked out, which is compared with the work tree."""
_LIST: Final = "`git log` lists the commits, `git branch` the branches"


class Since:
    """The changes of a project since a commit."""

    def __init__(self, project: Project, revision: str) -> None:
        """Compare with the commit at which this branch left the line of a revision.

        Raises:
            UsageError: there is no such revision, or no repository.
        """
        self._project, self._repository = project, project.repository
        self.commit: Final = _commit(self._repository, revision)

    @property
    def before(self) -> Lockfile:
        """The lock in that commit; an empty one if there was none.

        Raises:
            LockError: it cannot be read.
        """
        name = self._project.lock_path.name
        data = self._committed(self.commit, name)
        return loads(decoded(data, name), name) if data else Lockfile()

    def changes(self, choice: Choice) -> list[LockChange]:
        """The changes of a choice of assets, in the named profile or in all."""
        project, profile = self._project, self._project.options.profile
        chosen = None if choice.everything else project.chosen(choice)
        changes = [
            change
            for change in compare(self.before, project.lock)
            if profile in {None, change.profile} and (chosen is None or change.asset in chosen)
        ]
        if not any(change.bought for change in changes):
            return changes
        return [change._replace(earlier=self._tasks) for change in changes]

    def gather(self, changes: Iterable[LockChange]) -> None:
        """Fetch the pictures of some changes that this machine lacks from the team's store."""
        rows = (row for change in changes for row in change.generated if row)
        self._artifacts.bring(row.output.sha256 for row in rows)

    def old(self, output: Output) -> bytes | None:
        """The bytes of a file in that commit; None if they are lost."""
        data = self._repository.content(self.commit, output.path, output.sha256)
        return data or self.new(output)

    def new(self, output: Output) -> bytes | None:
        """The bytes of a file in the lock; None if they are not at hand."""
        try:
            return self._artifacts.get(output.sha256)
        except SystemFault:
            return None

    def address(self, files: str | None, output: Output, revision: str | None) -> str | None:
        """The web address of a file in a commit (this one by default); None if there is none.

        `files` is the address of the repository's files, like `https://github.com/acme/site/blob`.
        """
        commit = self.commit if revision is None else self._repository.commit(revision)
        data = None if files is None or commit is None else self._committed(commit, output.path)
        if files is None or data is None:
            return None
        if output.sha256 not in {of_bytes(data), lfs_target(data)}:
            return None
        folder = self._project.folder
        whole = folder.joinpath(output.path).relative_to(root_of(folder)).as_posix()
        return f"{files.rstrip('/')}/{commit}/{quote(whole)}"

    @cached_property
    def _tasks(self) -> frozenset[str]:
        """The tasks of orders in all locks up to that commit that are searched."""
        name, bytes_left, tasks = self._project.lock_path.name, MOST, set[str]()
        for version in self._repository.versions(name, self.commit):
            if (bytes_left := bytes_left - version.size) < 0:
                break
            tasks_in_lock = _TASK.findall(self._repository.read(version) or b"")
            tasks |= {str(each, "utf-8", "replace") for each in tasks_in_lock}
        return frozenset(tasks)

    def _committed(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file in a commit, or the pointer to them."""
        version = self._repository.at(commit, path)
        return None if version is None else self._repository.read(version)

    @cached_property
    def _artifacts(self) -> Artifacts:
        return at_hand(self._project, self._project.files())


def _commit(repository: Repository, revision: str) -> str:
    if not repository.exists:
        raise UsageError("there is no git repository here", hint="a revision is one of git's")
    commit = repository.commit(revision)
    if commit is None:
        hint = FETCH if repository.shallow else _LIST
        raise UsageError(f"git knows no revision `{revision}` here", hint=hint)
    fork = repository.fork(commit)
    if fork is None and repository.shallow:
        message = f"where this branch left the line of `{revision}` was not fetched"
        raise UsageError(message, hint=FETCH)
    own = fork == commit == repository.commit("HEAD")
    if own and revision not in _HERE and repository.branches(revision) and repository.cut(commit):
        message = f"`{revision}` is what is checked out, and nothing before it was fetched"
        raise UsageError(message, hint=FETCH)
    return fork or commit


class Compared(NamedTuple):
    """A change, and the likeness of the pictures before and after it."""

    change: LockChange
    likeness: Likeness | None
    """None if there are not two pictures, or one of them is not at hand."""


def compared(base: Since, choice: Choice) -> list[Compared]:
    """The changes of a choice of assets, with their pictures compared."""
    changes = base.changes(choice)
    base.gather(changes)
    return [Compared(each, _alike(base, *each.generated)) for each in changes]


def _alike(base: Since, before: Generated | None, after: Generated | None) -> Likeness | None:
    if before is None or after is None or before.output.sha256 == after.output.sha256:
        return None
    old, new = base.old(before.output), base.new(after.output)
    try:
        return None if old is None or new is None else likeness(old, new)
    except PictureError:
        return None
