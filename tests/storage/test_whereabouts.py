"""A path names a file on every disk alike, or the file that was meant is named."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from flux2build.storage.paths import fold
from flux2build.storage.project_files import Kind
from flux2build.storage.whereabouts import absence
from tests.assetspec.specs import MemoryTree

FILES = {
    "assets.toml": "",
    "refs/Desk.png": "",
    "refs/cafe\u0301.png": "",
    "refs/lamp.jpeg": "",
    "refs/old photos/my desk.png": "",
    "Fonts/Inter.ttf": "",
    "../shared/logo.svg": "",
    "data/deep/er/stock.csv": "",
}


@dataclass
class FoldingTree(MemoryTree):
    """A disk that finds a name in any case, as those of macOS and Windows do."""

    def kind(self, path: str) -> Kind:
        """What lies at a path, in whatever case it was created."""
        folds = {fold(file) for file in self.files}
        return Kind.FILE if fold(path) in folds else super().kind(path)


@pytest.mark.parametrize("tree", [MemoryTree, FoldingTree])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("refs/desk.png", "refs/Desk.png"),
        ("Refs/DESK.PNG", "refs/Desk.png"),
        ("fonts/inter.ttf", "Fonts/Inter.ttf"),
        ("refs/Desk.pgn", "refs/Desk.png"),
        ("refs/dsk.png", "refs/Desk.png"),
        ("refs/lamp.jpg", "refs/lamp.jpeg"),
        ("ref/lamp.jpeg", "refs/lamp.jpeg"),
        ("lamp.jpeg", "refs/lamp.jpeg"),
        ("img/lamp.jpeg", "refs/lamp.jpeg"),
        ("stock.csv", "data/deep/er/stock.csv"),
        ("refs\\Desk.png", "refs/Desk.png"),
        ("/refs/Desk.png", "refs/Desk.png"),
        ("refs/old%20photos/my%20desk.png", "refs/old photos/my desk.png"),
        ("shared/logo.svg", "../shared/logo.svg"),
        ("./refs/desk.png ", "refs/Desk.png"),
    ],
)
def test_the_file_that_was_meant_is_named(tree: type[MemoryTree], written: str, meant: str) -> None:
    """Case, suffix, folder and slips are put right in the hint, whatever the disk would find."""
    files = tree(dict.fromkeys(FILES, ""))

    found = absence(files, written)

    assert found is not None
    assert f"did you mean `{meant}`?" in (found[1] or "")
    assert absence(files, meant) is None


def test_another_form_of_unicode_is_told() -> None:
    """Two names that look the same are told apart in words."""
    message, hint = absence(MemoryTree(FILES), "refs/caf\xe9.png") or ("", "")

    assert message == "`refs/caf\xe9.png` does not exist"
    assert hint == (
        "did you mean `refs/cafe\u0301.png`? "
        "its name has the same letters in another form of Unicode (NFC, NFD): copy it"
    )


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("https://example.org/a.png", "`https://example.org/a.png` is an address", "download it"),
        ("file:///tmp/a.png", "`file:///tmp/a.png` is an address", "download it"),
        ("data:image/png;base64,AAAA", "is an address", "download it"),
        ("~/a.png", "`~` stands for no folder here", "copy the file into the project"),
        ("C:\\a.png", "is not a path of this project", "with `/`"),
        ("/tmp/a.png", "is not a path of this project", "with `/`"),
        (" ", "the path is empty", ""),
        ("refs", "`refs` is a folder", "such as `refs/Desk.png`"),
        ("nothing-like-it", "`nothing-like-it` does not exist", "the folder of the spec"),
        ("base.toml", "`base.toml` does not exist", "the folder of the spec"),
    ],
)
def test_what_is_no_path_of_the_project(written: str, message: str, hint: str) -> None:
    """It is quoted as it was written, and what to do is said."""
    found = absence(MemoryTree(FILES), written)

    assert found is not None
    assert message in found[0]
    assert hint in (found[1] or "")
