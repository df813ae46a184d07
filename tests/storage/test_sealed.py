"""Values that are kept beside a spec are read by whoever kept them, and by nobody else."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from flux2build.storage import sealed
from flux2build.storage.own_folder import FOLDER, stamp


def test_what_was_kept_is_read(tmp_path: Path) -> None:
    """Plain data comes back as it was."""
    sealed.keep(tmp_path, "facts", {"fox": [1, 2]})

    assert sealed.load(tmp_path, "facts") == {"fox": [1, 2]}


def test_what_other_code_has_kept_is_not_read(tmp_path: Path) -> None:
    """It may mean something else by the same words, even if it is not damaged."""
    sealed.keep(tmp_path, "facts", {"fox": [1, 2]})
    file = tmp_path / FOLDER / "facts"
    data = bytearray(file.read_bytes())
    data[32:36] = zlib.crc32(b"0.0.9+other").to_bytes(4, "big")
    data[8:16] = zlib.crc32(data[16:]).to_bytes(8, "big")
    file.write_bytes(data)

    assert sealed.load(tmp_path, "facts") is None


def test_what_another_layout_has_kept_is_not_read(tmp_path: Path) -> None:
    """Files of one layout are alike in nothing that another one relies on, so versions may take turns."""
    sealed.keep(tmp_path, "facts", {"fox": [1, 2]})
    file = tmp_path / FOLDER / "facts"
    file.write_bytes(b"sealed 3" + file.read_bytes()[8:])

    assert sealed.load(tmp_path, "facts") is None
    assert sealed.read_parts(tmp_path, "facts") is None


@pytest.mark.parametrize("in_parts", [False, True], ids=["whole", "in parts"])
def test_versions_that_know_no_layout_refuse_what_is_kept(
    tmp_path: Path, *, in_parts: bool
) -> None:
    """They believe what follows eight bytes of checksum and a stamp, so neither may stand there."""
    if in_parts:
        sealed.write_parts(tmp_path, "facts", [b"fox", b"hare"])
    else:
        sealed.keep(tmp_path, "facts", {"fox": [1, 2]})
    own = tmp_path / FOLDER
    data = (own / "facts").read_bytes()
    stamped = b"".join(number.to_bytes(8, "big") for number in stamp(str(own)))

    assert data[8:24] != stamped
    assert zlib.crc32(data[8:]) != int.from_bytes(data[:8], "big")
