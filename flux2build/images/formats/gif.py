"""GIF: few colours, often animated; read only."""

from __future__ import annotations

from typing import Final

from flux2build.images.formats.contract import Decoder, Header, PictureFormat, number

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def _header(data: bytes) -> Header:
    """The size of the screen, extended to frames that reach beyond it."""
    width, height = number(data, 6, 2, "little"), number(data, 8, 2, "little")
    at, frames = 13 + _table(data[10]), 0
    while at < len(data) and data[at] != _TRAILER:
        if data[at] == _EXTENSION:
            at = _behind_blocks(data, at + 2)
        elif data[at] == _IMAGE:
            frames += 1
            left, top, wide, high = (number(data, at + n, 2, "little") for n in (1, 3, 5, 7))
            width, height = max(width, left + wide), max(height, top + high)
            at = _behind_blocks(data, at + 11 + _table(data[at + 9]))
        else:
            return Header("gif", width, height, frames, "it holds an unknown block")
    if at >= len(data):
        return Header("gif", width, height, frames, "it has no end marker")
    return Header("gif", width, height, frames, None if frames else "it holds no picture", at + 1)


def _table(flags: int) -> int:
    """The size in bytes of the colour table that some flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _behind_blocks(data: bytes, at: int) -> int:
    """Where the chain of blocks that begins at `at` ends; beyond the file when it is cut off."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


def _plugin() -> Decoder:
    from PIL import GifImagePlugin

    return GifImagePlugin.GifImageFile


FORMAT: Final[PictureFormat] = PictureFormat(
    name="gif",
    media_type="image/gif",
    suffixes=(".gif",),
    rank=0,
    matches=lambda data: data.startswith((b"GIF87a", b"GIF89a")),
    header=_header,
    plugin=_plugin,
)
