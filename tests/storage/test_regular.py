"""Only regular files are read; nothing waits for a pipe or a device."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flux2build.storage import regular


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes in folders")
@pytest.mark.parametrize("make", [_pipe, _device, _loop, Path.mkdir])
def test_what_is_not_a_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A pipe, a device, a loop of links and a folder are refused at once."""
    path = tmp_path / "assets.lock"
    make(path)

    with pytest.raises(OSError, match=r"regular|directory|symbolic"):
        regular.read(path)


def test_a_file(tmp_path: Path) -> None:
    """A file is read, also through a link."""
    tmp_path.joinpath("file").write_bytes(b"bytes")
    tmp_path.joinpath("link").symlink_to("file")

    assert regular.read(tmp_path / "link") == b"bytes"


def test_a_name_that_no_file_can_have() -> None:
    """A path with a null character is one that cannot be opened, as any other."""
    with pytest.raises(OSError, match="null character"):
        regular.read("cards\0.toml")
