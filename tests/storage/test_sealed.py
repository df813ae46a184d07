"""Values that are kept beside a spec are read by whoever kept them, and by nobody else."""

from __future__ import annotations

import zlib
from pathlib import Path

from flux2build.storage import sealed
from flux2build.storage.own_folder import FOLDER


def test_what_was_kept_is_read(tmp_path: Path) -> None:
    """Plain data comes back as it was."""
    sealed.keep(tmp_path, "facts", {"fox": [1, 2]})

    assert sealed.load(tmp_path, "facts") == {"fox": [1, 2]}


def test_what_other_code_has_kept_is_not_read(tmp_path: Path) -> None:
    """It may mean something else by the same words, even if it is not damaged."""
    sealed.keep(tmp_path, "facts", {"fox": [1, 2]})
    file = tmp_path / FOLDER / "facts"
    data = bytearray(file.read_bytes())
    data[24:28] = zlib.crc32(b"0.0.9+other").to_bytes(4, "big")
    file.write_bytes(zlib.crc32(data[8:]).to_bytes(8, "big") + data[8:])

    assert sealed.load(tmp_path, "facts") is None
