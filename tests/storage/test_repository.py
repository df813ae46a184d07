"""Every version that a file had is found in git, and nothing is run, fetched or changed for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flux2build.digest import of_bytes
from flux2build.storage.copies import Copies, Recorded
from flux2build.storage.repository import Repository
from flux2build.storage.work_tree import WorkTree
from tests.repositories import NEEDS_GIT, git

pytestmark = NEEDS_GIT


def contents(repository: Repository, path: str) -> set[bytes | None]:
    """What a file ever was."""
    return {repository.read(version) for version in repository.versions(path)}


def committed(folder: Path, *texts: str, name: str = "sub/a[b].png", form: str = "sha1") -> None:
    """A repository in which a file had several texts: the last on a branch of its own."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", f"--object-format={form}")
    for number, text in enumerate(texts):
        if number == len(texts) - 1:
            git(folder, "checkout", "-q", "-b", "side")
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        path.with_name("ab.png").write_text(f"not {text}", "utf-8")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", text)
    git(folder, "checkout", "-q", "main")


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_every_branch_is_read(tmp_path: Path, form: str) -> None:
    """Paths are not patterns, and start from the folder; a merge that took one side has both."""
    root = tmp_path / "site"
    committed(root, "one", "two", "three", form=form)
    git(root, "merge", "-q", "--no-ff", "-s", "ours", "-m", "Merge", "side")
    git(root, "branch", "-qD", "side")

    repository = Repository(root, root / "sub")
    assert contents(repository, "a[b].png") == {b"one", b"two", b"three"}
    assert contents(repository, "never.png") == set()
    assert contents(Repository(tmp_path, tmp_path), "site/sub/a[b].png") == set()


def test_nothing_is_run_or_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partial clone lacks what it lacks, a monitor is not started, and a hook's index is not meant."""
    root, clone = tmp_path / "site", tmp_path / "clone"
    committed(root, "one", "two", "three")
    git(root, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", root.as_uri(), "clone")
    monitor = tmp_path / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n", "utf-8")
    monitor.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(monitor))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))

    assert len(contents(Repository(root, root), "sub/a[b].png")) == 3
    before = sorted((clone / ".git").rglob("*"))
    assert contents(Repository(clone, clone), "sub/a[b].png") == set()
    assert sorted((clone / ".git").rglob("*")) == before
    assert not (tmp_path / "ran").exists()


def test_without_git_there_are_no_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a missing program, nor a damaged or empty repository, is an error."""
    root, bare = tmp_path / "site", tmp_path / "bare"
    committed(root, "one", "two")
    bare.mkdir()
    git(bare, "init", "-q")
    assert contents(Repository(bare, bare), "a.png") == set()
    (bare / ".git/HEAD").write_bytes(b"?")
    assert contents(Repository(bare, bare), "a.png") == set()
    monkeypatch.setenv("PATH", os.devnull)
    assert contents(Repository(root, root), "sub/a[b].png") == set()


def test_copies_are_verified(tmp_path: Path) -> None:
    """A version counts if it has the digest that is wanted, and only at a path that a lock names."""
    root = tmp_path / "site"
    committed(root, "one", "two", "six", name="a.png")
    lock = {of_bytes(b"one"): Recorded("a.png", 3), of_bytes(b"two"): Recorded("b.png", 3)}

    work_tree = WorkTree(root, root, dict, lambda _path: None)
    copies = Copies(root, work_tree, Repository(root, root), lambda each: [lock[each]])
    assert copies.read(of_bytes(b"one")) == b"one"
    assert copies.has(of_bytes(b"one"))
    assert not copies.has(of_bytes(b"two"))
