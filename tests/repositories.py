"""Repositories of git that tests make."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

NEEDS_GIT: Final = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
_WHO: Final = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false")


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, as somebody; return what it prints."""
    ran = subprocess.run(
        ("git", *_WHO, *words), cwd=folder, check=True, capture_output=True, text=True
    )
    return ran.stdout.strip()


def begin(folder: Path) -> None:
    """Make an empty repository of a folder, which may have had one."""
    shutil.rmtree(folder / ".git", ignore_errors=True)
    git(folder, "init", "-q", "-b", "main")


def commit(folder: Path, message: str = "Build") -> str:
    """Commit everything in a folder; return the name of the commit."""
    git(folder, "add", ".")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")
