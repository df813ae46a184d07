"""Reads the versions of files in git; runs `git`, but does not fetch or change anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from flux2build.digest import Digest, of_bytes
from flux2build.storage.git import lfs_object
from flux2build.storage.lfs import lfs_target

_ALONE: Final = (
    *("-c", "core.fsmonitor=false"),  # a program that would be run
    *("-c", "protocol.allow=never"),  # a partial clone fetches what it lacks
)
_ENVIRONMENT: Final = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_OF_A_HOOK: Final = frozenset({"GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"})
"""The variables that git sets for its hooks; the folder identifies the repository instead."""
_PATIENCE: Final = 60
"""Seconds for one look at a history, which usually takes hundredths of a second."""


class Version(NamedTuple):
    """One content that a file had in some commit."""

    name: str
    """The name of the object in git."""
    size: int
    """In bytes."""


class Commit(NamedTuple):
    """A commit in which a file was changed."""

    name: str
    date: str
    """The date in ISO 8601."""
    author: str
    subject: str


class Repository:
    """The git repository around a folder, if there is one, and `git` to read it with."""

    def __init__(self, root: Path, folder: Path) -> None:
        """`root` is the project's, which may have a `.git`; paths start from `folder`."""
        self._git, self._folder = root / ".git", folder

    def versions(self, path: str, commit: str = "--all") -> Sequence[Version]:
        """Every content that a file had in a commit or before it, newest first.

        Without a commit, all commits that branches and tags lead to count.
        """
        listed = self._output(
            *("rev-list", commit, "--full-history", "--objects"),
            *("--filter=object:type=blob", "--filter-provided-objects", "--", path),
        )
        names = [line.partition(b" ")[0] for line in listed.splitlines()]
        return list(self._sized(names)) if names else []

    def commit(self, revision: str) -> str | None:
        """The name of the commit that a revision means; None if there is none."""
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return str(self._output(*words), "ascii").strip() or None

    def fork(self, commit: str) -> str | None:
        """The merge base of the current commit and another one; None if it is unknown."""
        return str(self._output("merge-base", "HEAD", commit), "ascii").strip() or None

    def branches(self, revision: str) -> bool:
        """Whether a revision is the name of a branch, here or elsewhere."""
        words = ("rev-parse", "--symbolic-full-name", "--verify", "--quiet", "--end-of-options")
        return self._output(*words, revision).startswith((b"refs/heads/", b"refs/remotes/"))

    def cut(self, commit: str) -> bool:
        """Whether the commits before one were not fetched."""
        head = self._output("cat-file", "commit", commit).partition(b"\n\n")[0]
        known = self._output("rev-list", "--parents", "--max-count=1", commit).split()
        return b"\nparent " in head and len(known) == 1

    def commits(self, path: str) -> Sequence[Commit]:
        """The commits in which a file was changed, that a branch or tag leads to, newest first."""
        form = "--format=%H%x00%cI%x00%an%x00%s"
        listed = self._output(
            "log", "--all", "--full-history", "--no-show-signature", form, "--", path
        )
        lines = str(listed, "utf-8", "replace").split("\n")
        return [Commit(*line.split("\0", 3)) for line in lines if line.count("\0") >= 3]

    def at(self, commit: str, path: str) -> Version | None:
        """The content that a file had in a commit; None if it was not there."""
        return next(self._sized([f"{commit}:./{path}".encode()]), None)

    def content(self, commit: str, path: str, digest: Digest) -> bytes | None:
        """The bytes with a digest, if a file had them in a commit; those behind a pointer of Git LFS, too."""
        version = self.at(commit, path)
        data = None if version is None else self.read(version)
        if data is not None and lfs_target(data) == digest:
            data = self.fetched(digest)
        return data if data is not None and of_bytes(data) == digest else None

    @property
    def shallow(self) -> bool:
        """Whether the older commits were not fetched."""
        return (self._git / "shallow").exists()

    @cached_property
    def exists(self) -> bool:
        """Whether there is a repository."""
        return self._git.exists()

    def read(self, version: Version) -> bytes | None:
        """The bytes of a version; None if git lacks them, as partial clones do."""
        data = self._output("cat-file", "blob", version.name)
        return data if len(data) == version.size else None

    def fetched(self, digest: Digest) -> bytes | None:
        """The bytes of a file of Git LFS that were fetched at some time."""
        try:
            return lfs_object(self._git, digest).read_bytes()
        except OSError:
            return None

    def _sized(self, names: Sequence[bytes]) -> Iterator[Version]:
        """The objects that exist."""
        answers = self._output("cat-file", "--batch-check", given=b"\n".join(names) + b"\n")
        for line in str(answers, "ascii", "replace").splitlines():
            name, kind, *size = line.split()
            if kind == "blob":
                yield Version(name, int(*size))

    @property
    def merges_locks(self) -> bool:
        """Whether this clone has the driver with which git merges locks."""
        return bool(self._output("config", "--get", "merge.flux2build.driver"))

    def ignored_by(self, path: str) -> str | None:
        """The ignore file with the line that hides a file; None if git tracks or shows the file."""
        words = ("--no-literal-pathspecs", "check-ignore", "--verbose", "-z", "--stdin")
        output = self._output(*words, given=os.fsencode(f"./{path}"))
        file, *rest = os.fsdecode(output).split("\0")
        shown = not file or rest[1].startswith("!")
        return None if shown else file

    def identity(self) -> tuple[str, str]:
        """The user's name and e-mail address in git; empty if there are none."""
        name, mail = (
            os.environ.get(f"GIT_AUTHOR_{variable}")
            or str(self._run("config", "--get", f"user.{key}"), "utf-8", "replace").strip()
            for variable, key in (("NAME", "name"), ("EMAIL", "email"))
        )
        return name, mail

    def _output(self, *words: str, given: bytes = b"") -> bytes:
        """The output of git about the repository; empty if git fails."""
        return self._run(*words, given=given) if self.exists else b""

    def _run(self, *words: str, given: bytes = b"") -> bytes:
        import subprocess

        command = ["git", "--literal-pathspecs", *_ALONE, *words]
        environment = {name: at for name, at in os.environ.items() if name not in _OF_A_HOOK}
        try:
            return subprocess.run(  # noqa: S603 - our own command
                command,
                cwd=self._folder,
                env=environment | _ENVIRONMENT,
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE,
                check=True,
            ).stdout
        except (OSError, subprocess.SubprocessError):
            return b""
