"""What a picture file says about itself: format, size, frames, and whether it is whole.

Only the container is read, never the pixels, so that damage and bombs are found
before a decoder sees the bytes. Pillow alone would accept a PNG without its end.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_ISO_BRANDS: Final = {
    b"avif": "avif",
    b"avis": "avif",
    b"heic": "heic",
    b"heix": "heic",
    b"hevc": "heic",
    b"mif1": "heic",
}
_SIGNATURES: Final = (
    (_PNG, "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"8BPS", "psd"),
    (b"%PDF", "pdf"),
    (b"\x00\x00\x01\x00", "ico"),
    (b"\xff\x0a", "jpeg xl"),
    (b"\x00\x00\x00\x0cJXL ", "jpeg xl"),
    (b"\x00\x00\x00\x0cjP  ", "jpeg 2000"),
)
_TEXTS: Final = ((b"<svg", "svg"), (b"<html", "html"), (b"<!doctype html", "html"))
_JPEG_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Container:
    """What the outside of a picture tells; a size of 0 is not written there."""

    format: str
    """`png`, `jpeg`, …, or a format nobody here decodes (`heic`), or `` when unknown."""
    width: int = 0
    height: int = 0
    frames: int = 1
    fault: str | None = None
    """Why the file is not whole, as a phrase: `it has no end marker`."""


def examine(data: bytes) -> Container:
    """Everything that the container says; never raises, whatever the bytes."""
    form = sniff(data)
    walk = _WALKS.get(form)
    if walk is None:
        return Container(form)
    try:
        return walk(data)
    except (IndexError, ValueError):
        return Container(form, fault="it ends too early")


def sniff(data: bytes) -> str:
    """The format by its first bytes; a name is no evidence."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return _ISO_BRANDS.get(data[8:12], "")
    for signature, form in _SIGNATURES:
        if data.startswith(signature):
            return form
    head = data[:512].lower()
    return next((form for word, form in _TEXTS if word in head), "")


def parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The pieces that a file is made of, each as its kind and content, as far as they are whole.

    Chunks of a PNG or WebP, segments of a JPEG before its pixels, by the byte
    of their marker, boxes of an AVIF. Never raises, whatever the bytes.
    """
    walk = _PARTS.get(sniff(data))
    if walk is not None:
        try:
            yield from walk(data)
        except (IndexError, ValueError):
            return


def _number(data: bytes, at: int, length: int, order: str = "big") -> int:
    piece = data[at : at + length]
    if len(piece) < length:
        raise IndexError(at)
    return int.from_bytes(piece, "big" if order == "big" else "little")


def _png(data: bytes) -> Container:
    width, height = _number(data, 16, 4), _number(data, 20, 4)
    frames, at = 1, len(_PNG)
    while at < len(data):
        length, kind = _number(data, at, 4), data[at + 4 : at + 8]
        if zlib.crc32(data[at + 4 : at + 8 + length]) != _number(data, at + 8 + length, 4):
            name = kind.decode("ascii", "replace")
            return Container("png", width, height, frames, f"its {name} chunk is damaged")
        if kind == b"acTL":
            frames = _number(data, at + 8, 4)
        if kind == b"IEND":
            return Container("png", width, height, frames)
        at += 12 + length
    return Container("png", width, height, frames, "it has no end chunk")


def _jpeg(data: bytes) -> Container:
    width = height = 0
    at = 2
    while found := _JPEG_MARKER.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            return Container("jpeg", width, height)
        if marker in _JPEG_FRAMES:
            height, width = _number(data, at + 3, 2), _number(data, at + 5, 2)
        if marker not in {0x01, 0xD8}:
            at += _number(data, at, 2)
    return Container("jpeg", width, height, fault="it has no end marker")


def _gif(data: bytes) -> Container:
    width, height = _number(data, 6, 2, "little"), _number(data, 8, 2, "little")
    at, frames = 13 + _gif_table(data[10]), 0
    while at < len(data) and data[at] != 0x3B:
        if data[at] == 0x21:
            at = _gif_blocks(data, at + 2)
        elif data[at] == 0x2C:
            frames += 1
            left, top, wide, high = (_number(data, at + n, 2, "little") for n in (1, 3, 5, 7))
            width, height = max(width, left + wide), max(height, top + high)
            at = _gif_blocks(data, at + 11 + _gif_table(data[at + 9]))
        else:
            return Container("gif", width, height, frames, "it holds an unknown block")
    if at >= len(data):
        return Container("gif", width, height, frames, "it has no end marker")
    return Container("gif", width, height, frames, None if frames else "it holds no picture")


def _gif_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks(data: bytes, at: int) -> int:
    """Where the chain of blocks at `at` ends, beyond the file when it is cut off."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


def _webp(data: bytes) -> Container:
    width, height = _webp_size(data)
    end = 8 + _number(data, 4, 4, "little")
    if len(data) < end:
        return Container("webp", width, height, fault="it ends too early")
    frames, at = 0, 12
    while at + 8 <= end:
        frames += data[at : at + 4] == b"ANMF"
        length = _number(data, at + 4, 4, "little")
        at += 8 + length + length % 2
    return Container("webp", width, height, frames or 1)


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return _number(data, 24, 3, "little") + 1, _number(data, 27, 3, "little") + 1
    if kind == b"VP8L":
        bits = _number(data, 21, 4, "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _number(data, 26, 2, "little") & 0x3FFF, _number(data, 28, 2, "little") & 0x3FFF


def _avif(data: bytes) -> Container:
    width = height = 0
    for kind, start, end in _boxes(data, 0, len(data)):
        if end > len(data):
            return Container("avif", width, height, fault="it ends too early")
        if kind == b"meta":
            # The largest extent among the items: thumbnails and tiles are smaller.
            extents = _extents(data, start + 4, end, (b"iprp", b"ipco", b"ispe"))
            width, height = max(extents, key=lambda size: size[0] * size[1], default=(0, 0))
    return Container("avif", width, height)


def _extents(
    data: bytes, start: int, end: int, path: tuple[bytes, ...]
) -> Iterator[tuple[int, int]]:
    """The sizes in the boxes that lie one in another as `path` says."""
    if not path:
        yield _number(data, start + 4, 4), _number(data, start + 8, 4)
        return
    for kind, inside, stop in _boxes(data, start, end):
        if kind == path[0]:
            yield from _extents(data, inside, stop, path[1:])


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of an ISO media file: kind, where the content begins, where it ends."""
    while at < end:
        length, kind, start = _number(data, at, 4), data[at + 4 : at + 8], at + 8
        if length == 1:
            length, start = _number(data, at + 8, 8), at + 16
        length = length or end - at
        if length < start - at:
            raise ValueError(length)
        yield kind, start, at + length
        at += length


def _png_parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        length = _number(data, at, 4)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _jpeg_parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 2
    while data[at : at + 1] == b"\xff":
        while data[at + 1 : at + 2] == b"\xff":
            at += 1  # a marker may have any number of these before it
        kind, length = data[at + 1 : at + 2], _number(data, at + 2, 2)
        if kind == b"\xda" or length < 2:
            return
        yield kind, data[at + 4 : at + 2 + length]
        at += 2 + length


def _webp_parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        length = _number(data, at + 4, 4, "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _avif_parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for kind, start, end in _boxes(data, 0, len(data)):
        yield kind, data[start:end]


_PARTS: Final[dict[str, Callable[[bytes], Iterator[tuple[bytes, bytes]]]]] = {
    "png": _png_parts,
    "jpeg": _jpeg_parts,
    "webp": _webp_parts,
    "avif": _avif_parts,
}


def _ico(data: bytes) -> Container:
    """The size of the largest picture in it; a side of 256 is written as 0."""
    count, sides = _number(data, 4, 2, "little"), [(0, 0)]
    for at in range(6, 6 + 16 * count, 16):
        sides.append((_number(data, at, 1) or 256, _number(data, at + 1, 1) or 256))
        length, start = _number(data, at + 8, 4, "little"), _number(data, at + 12, 4, "little")
        if start + length > len(data):
            return Container("ico", *max(sides), fault="it ends too early")
    return Container("ico", *max(sides))


_WALKS: Final[dict[str, Callable[[bytes], Container]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "gif": _gif,
    "ico": _ico,
    "webp": _webp,
    "avif": _avif,
}
