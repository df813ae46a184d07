"""PNG: chunks with checksums."""

from __future__ import annotations

import struct
import zlib

import pytest
from PIL import Image

from flux2build.images.encode import encode
from flux2build.images.formats.contract import Header
from flux2build.images.formats.lookup import examine

DATA = encode(Image.new("RGB", (70, 30)), {"format": "png"})
IEND = 12


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (DATA[:-IEND], "it has no end chunk"),
        (DATA[:-1], "it ends too early"),
        (DATA.replace(b"sRGB", b"sRBG"), "its sRBG chunk is damaged"),
    ],
)
def test_faults_are_told_apart(data: bytes, fault: str) -> None:
    """A missing end, a cut chunk and a wrong checksum are different faults."""
    assert examine(data).fault == fault


def test_damage_is_not_a_cut() -> None:
    """A file with a damaged chunk that reaches its end is complete; fetching it again would not help."""
    assert examine(DATA.replace(b"sRGB", b"sRBG")).end == len(DATA)
    assert examine(DATA[:-IEND]).end is None


def test_animations_are_counted() -> None:
    """The number of frames stands in a chunk of its own."""
    body = b"acTL" + struct.pack(">II", 7, 0)
    chunk = struct.pack(">I", 8) + body + struct.pack(">I", zlib.crc32(body))

    assert examine(DATA[:33] + chunk + DATA[33:]) == Header("png", 70, 30, 7, end=len(DATA) + 20)
