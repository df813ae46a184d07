"""Runs `git` about a remote of a repository, and writes nothing into the repository itself.

Objects that are sent or fetched go to a folder of their own, which ends with this process. Git
asks nobody for a password, runs no hook of the clone, and is stopped where it takes too long.
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
    *("-c", "core.fsmonitor=false"),  # a program that would be run
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
)
_ENVIRONMENT: Final = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_OF_A_HOOK: Final = frozenset({"GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"})
"""What git sets for its hooks; the repository is found by its folder instead."""
_URL: Final = re.compile(r"'?\w[\w+.-]*://[^\s']+'?")


class Ended(Struct, frozen=True):
    """How a command of git has ended."""

    code: int
    output: bytes
    said: str
    """Why it failed, in one line and without URLs."""


class GitCommands:
    """Git, in the clone around a folder."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds

    def run(self, *words: str, given: bytes = b"") -> Ended:
        """Run a command of git."""
        return self._run(words, given, self._quarantine)

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

    def _run(self, words: tuple[str, ...], given: bytes, further: Mapping[str, str]) -> Ended:
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
                output, errors = process.communicate(given, self._seconds)
            except BaseException as error:
                _kill(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    return Ended(124, b"", f"`git` takes longer than {self._seconds:g} seconds")
                raise
        return Ended(process.returncode, output, _reason(errors))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Stop git and what it has started."""
    if sys.platform == "win32":  # pragma: no cover - there are no groups to signal
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def _reason(errors: bytes) -> str:
    """What git complains of: the last line that does, else the last one."""
    lines = [line for line in str(errors, "utf-8", "replace").splitlines() if line.strip()]
    complaints = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    said = (complaints or lines or [""])[-1]
    return one_line(_URL.sub("…", said.removeprefix("fatal: ").removeprefix("error: ")), 160)
