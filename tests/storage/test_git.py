"""What git tracks is read from its index, in each of its forms, and from nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from flux2build.storage.git import Tracked

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
NAMES = ("a.png", "sub/b.png", "sub/héro.png", "sub/deeper/a-rather-long-name-of-a-picture.webp")


def git(folder: Path, *words: str) -> None:
    """Run git in a folder."""
    subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True)


def repository(folder: Path, *options: str) -> Path:
    """A repository in which every file but one is tracked."""
    folder.mkdir()
    git(folder, "init", "-q", *options)
    for name in (*NAMES, "new.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    git(folder, "add", *NAMES)
    return folder


@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_each_form_of_the_index_is_read(tmp_path: Path, version: str, form: str) -> None:
    """Files are told apart in every version of the index, with digests of either kind."""
    root = repository(tmp_path / "site", f"--object-format={form}")
    git(root, "update-index", "--index-version", version)
    tracked = Tracked(root, root / "sub")

    assert all(f"../{name}" in tracked for name in NAMES)
    assert {"b.png", "B.PNG", "he\u0301ro.png"} <= {
        name for name in ("b.png", "B.PNG", "he\u0301ro.png", "c.png") if name in tracked
    }
    assert "../new.png" not in tracked


def test_what_cannot_be_known_counts_as_tracked(tmp_path: Path) -> None:
    """A damaged, split or linked index protects every file; a tree without git, none."""
    root = repository(tmp_path / "site")
    index = root / ".git" / "index"
    git(root, "update-index", "--split-index")
    assert "new.png" in Tracked(root, root)
    git(root, "update-index", "--no-split-index")
    assert "new.png" not in Tracked(root, root)
    assert "../elsewhere.png" in Tracked(root, root)

    whole = index.read_bytes()
    for data in (b"", whole[:30], whole[:-1], b"?" + whole[1:], bytes(40)):
        index.write_bytes(data)
        assert "new.png" in Tracked(root, root)

    shutil.rmtree(root / ".git")
    assert "a.png" not in Tracked(root, root)
    (root / ".git").write_text("gitdir: elsewhere\n")
    assert "new.png" in Tracked(root, root)
