"""Paid pictures that were moved are found where they are, and nothing else is read for it."""

from __future__ import annotations

from pathlib import Path

from flux2build.digest import Digest, of_bytes
from flux2build.storage.work_tree import WorkTree


def test_what_is_looked_at(tmp_path: Path) -> None:
    """Only pictures of the right size are hashed, and none for bytes that nobody paid for."""
    files = {
        "site/img/a.png": b"wanted",
        "old/b.png": b"wanted",
        "old/c.png": b"others",
        "old/d.png": b"of another size",
        "old/e.txt": b"wanted",
        "node_modules/f.png": b"wanted",
        ".git/g.png": b"wanted",
    }
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "old/a-link.png").symlink_to(tmp_path / "old/b.png")
    folder, hashed, asked = tmp_path / "site", list[str](), list[int]()

    def digest(path: str) -> Digest:
        hashed.append(path)
        return of_bytes((folder / path).read_bytes())

    def sizes() -> dict[Digest, int | None]:
        asked.append(1)
        return {of_bytes(b"wanted"): 6, of_bytes(b"lost"): 4, of_bytes(b"of another size"): None}

    work_tree = WorkTree(tmp_path, folder, sizes, digest)
    assert asked == []
    assert work_tree.find(of_bytes(b"anything")) is None
    assert work_tree.find(of_bytes(b"lost")) is None
    assert hashed == []

    assert work_tree.find(of_bytes(b"wanted")) == "../old/b.png"
    assert work_tree.find(of_bytes(b"wanted")) == "../old/b.png"
    assert hashed == ["../old/b.png"]
    assert work_tree.find(of_bytes(b"of another size")) == "../old/d.png"
    assert len(asked) == 1
