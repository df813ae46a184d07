"""What git tracks is read from its index, in each of its forms, and from nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from flux2build.digest import of_bytes
from flux2build.storage.git import Tracked, lfs_object

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


def test_where_git_may_have_a_file_is_told(tmp_path: Path) -> None:
    """Commands that work as they are: the index, Git LFS by digest, and the history for the rest."""
    root, bytes_ = repository(tmp_path / "site"), b"sub/b.png"
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "Add pictures")
    kept = lfs_object(root / ".git", of_bytes(bytes_))
    kept.parent.mkdir(parents=True)
    kept.write_bytes(bytes_)
    tracked = Tracked(root, root / "sub")
    (root / "sub/b.png").unlink()

    copy, checkout, log = (
        way.split("`")[1] for way in tracked.ways_back("b.png", of_bytes(bytes_))
    )
    for command in (copy, checkout):
        subprocess.run(command, shell=True, cwd=root / "sub", check=True, capture_output=True)
        assert (root / "sub/b.png").read_bytes() == bytes_
        (root / "sub/b.png").unlink()
    listed = subprocess.run(log, shell=True, cwd=root / "sub", check=True, capture_output=True)
    assert b"Add pictures" in listed.stdout
    assert len(tracked.ways_back("new one.png", None)) == 1
    assert Tracked(tmp_path, tmp_path).ways_back("b.png", None) == ()


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
