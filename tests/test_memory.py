"""Odd pictures are normalised, or refused by name, within 256 MiB, whatever is inside them."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Final

import pytest
from PIL import Image, ImageCms

CEILING_KIB: Final = 256 * 1024
N: Final = 5000
"""The side of a square that just has as many pixels as may be decoded."""

DECODER: Final = """
import re, sys
from pathlib import Path
from flux2build.images.decode import decode
from flux2build.images.formats.contract import PictureError
data = sys.stdin.buffer.read()
try:
    image = decode(data, "odd")
    said = f"{image.mode} {image.width}x{image.height}"
except PictureError as error:
    said = error.problems[0].message
peak = re.search(r"VmHWM:\\s*([0-9]+) kB", Path("/proc/self/status").read_text())[1]
print(peak, said)
"""


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int, depth: int, colour: int, channels: int, *extra: bytes) -> bytes:
    """A square PNG of some depth and colour type, written row by row."""
    packer = zlib.compressobj(1)
    row = b"\0" + bytes(n % 251 for n in range(side * channels * depth // 8))
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0))
    tail = (chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"".join((b"\x89PNG\r\n\x1a\n", head, *extra, *tail))


def saved(mode: str, side: int, form: str, **options: object) -> bytes:
    """A square of one colour as Pillow writes it."""
    target = io.BytesIO()
    Image.new(mode, (side, side)).save(target, form, **options)
    return target.getvalue()


def odd_profile() -> bytes:
    """A profile for which colours are converted: sRGB under another name."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return bytes(srgb).replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))


def turned() -> Image.Exif:
    """EXIF of a picture that lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


PROFILE: Final = chunk(b"iCCP", b"odd\0\0" + zlib.compress(odd_profile()))
CLEAR_LEVEL: Final = chunk(b"tRNS", struct.pack(">H", 515))
PALETTE: Final = (
    chunk(b"PLTE", bytes(n % 256 for n in range(768))),
    chunk(b"tRNS", bytes(range(256))),
)

Drawing = tuple[Callable[[], bytes], str]
WORST: Final[dict[str, Drawing]] = {
    "rgba with a profile": (lambda: png(N, 8, 6, 4, PROFILE), "RGBA 5000x5000"),
    "grey with a clear level": (lambda: png(N, 16, 0, 1, CLEAR_LEVEL), "RGBA 5000x5000"),
    "palette with a profile": (lambda: png(N, 8, 3, 1, PROFILE, *PALETTE), "RGBA 5000x5000"),
    "cmyk tiff": (lambda: saved("CMYK", 4080, "tiff"), "RGB 4080x4080"),
    "a bomb of 169 megapixels": (
        lambda: png(13000, 8, 2, 3),
        "`odd` is too large: 13000x13000 pixels",
    ),
}
OTHERS: Final[dict[str, Drawing]] = {
    "rgba of 16 bits": (lambda: png(N, 16, 6, 4), "RGBA 5000x5000"),
    "grey with alpha": (lambda: png(N, 8, 4, 2), "RGBA 5000x5000"),
    "turned jpeg with a profile": (
        lambda: saved("RGB", N, "jpeg", exif=turned(), icc_profile=odd_profile()),
        "RGB 5000x5000",
    ),
    "cmyk jpeg": (lambda: saved("CMYK", N, "jpeg"), "RGB 5000x5000"),
    "bmp": (lambda: saved("RGB", 4260, "bmp"), "RGB 4260x4260"),
    "gif": (lambda: saved("L", N, "gif"), "RGB 5000x5000"),
    "webp": (lambda: saved("RGBA", 3535, "webp", method=0), "RGBA 3535x3535"),
    "avif": (lambda: saved("RGBA", 4080, "avif", speed=10), "RGBA 4080x4080"),
}
DRAWINGS: Final = {**WORST, **OTHERS} if os.environ.get("FLUX2BUILD_DEEP") else WORST


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", DRAWINGS)
def test_the_largest_odd_pictures_stay_within_memory(kind: str) -> None:
    """A process that decodes the largest picture of a kind peaks below the ceiling, file and all."""
    draw, expected = DRAWINGS[kind]
    done = subprocess.run(
        [sys.executable, "-c", DECODER], input=draw(), capture_output=True, check=True
    )
    peak, _, said = done.stdout.decode().strip().partition(" ")
    assert said == expected
    assert int(peak) < CEILING_KIB


DERIVER: Final = """
import re, sys
from pathlib import Path
from flux2build.images.derive import Job, derive_many
from flux2build.images.ops import OPS
from flux2build.model import Derive, Operation
data = sys.stdin.buffer.read()
sizes = [(320, 180), (300, 300), (180, 320)]
for size in sizes:
    params = dict(zip(("width", "height"), size), mode="fill")
    tasks = [Derive((Operation("resize", OPS["resize"].version, params),), {"format": form}) for form in ("jpeg", "png")]
    files = derive_many([Job(task, (data,)) for task in tasks], OPS)
    assert all(file.data for file in files)
print(re.search(r"VmHWM:\\s*([0-9]+) kB", Path("/proc/self/status").read_text())[1])
"""
ONE_COPY_KIB: Final = 135 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_the_pixels_of_a_large_picture_are_held_once() -> None:
    """Sizes of a square of 3840 pixels are made without a copy of it, which would take 56 MiB."""
    data = saved("RGB", 3840, "jpeg")
    done = subprocess.run(
        [sys.executable, "-c", DERIVER], input=data, capture_output=True, check=True
    )
    assert int(done.stdout) < ONE_COPY_KIB
