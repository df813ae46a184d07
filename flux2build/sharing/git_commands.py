"""Runs `git` about a remote of a repository, and writes nothing into the repository itself.

New objects go to a folder of their own, which is removed when this process ends. Git does not ask
for a password, does not run the clone's hooks, and is stopped if it takes too long.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from msgspec import Struct

from flux2build.errors import one_line

_CONFIGURED: Final = (
    *("-c", "core.fsmonitor=false"),  # a program that git would run
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
)
_ENVIRONMENT: Final = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_OF_A_HOOK: Final = frozenset({"GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"})
"""The variables that git sets for its hooks; the folder identifies the repository instead."""
_URL: Final = re.compile(r"'?\w[\w+.-]*://[^\s']+'?")


class Ended(Struct, frozen=True):
    """The result of a git command."""

    code: int
    output: bytes
    complaint: str
    """The reason for a failure, in one line and without URLs."""


class GitCommands:
    """Git, in the clone around a folder."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds

    def run(self, *words: str, stdin: bytes = b"") -> Ended:
        """Run a command of git."""
        return self._run(words, stdin, self._quarantine)

    @cached_property
    def _quarantine(self) -> Mapping[str, str]:
        """The variables that keep new objects out of the repository."""
        own = self._run(("rev-parse", "--git-path", "objects"), b"", {})
        if own.code:
            return {}
        objects = tempfile.mkdtemp(prefix="flux2build-git-")
        weakref.finalize(self, shutil.rmtree, objects, ignore_errors=True)
        alternate = self._folder / os.fsdecode(own.output.rstrip(b"\n"))
        return {
            "GIT_OBJECT_DIRECTORY": objects,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(alternate.absolute()),
        }

    def _run(self, words: tuple[str, ...], stdin: bytes, further: Mapping[str, str]) -> Ended:
        inherited = {name: at for name, at in os.environ.items() if name not in _OF_A_HOOK}
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command
                ["git", *_CONFIGURED, *words],  # noqa: S607 - whichever git the user has
                cwd=self._folder,
                env={**inherited, **_ENVIRONMENT, **further},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # no terminal on which `ssh` could ask
            )
        except OSError as error:
            return Ended(127, b"", f"`git` cannot be run: {(error.strerror or '').lower()}")
        with process:
            try:
                output, errors = process.communicate(stdin, self._seconds)
            except BaseException as error:
                _kill(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    return Ended(124, b"", f"`git` takes longer than {self._seconds:g} seconds")
                raise
        return Ended(process.returncode, output, _reason(errors))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Stop git and the processes that it has started."""
    if sys.platform == "win32":  # pragma: no cover - there are no groups to signal
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def _reason(errors: bytes) -> str:
    """Git's complaint: its last error line, else its last line."""
    lines = [line for line in str(errors, "utf-8", "replace").splitlines() if line.strip()]
    complaints = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    line = (complaints or lines or [""])[-1]
    return one_line(_URL.sub("…", line.removeprefix("fatal: ").removeprefix("error: ")), 160)
