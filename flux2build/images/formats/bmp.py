"""BMP: bare pixels; read only."""

from __future__ import annotations

from typing import Final

from flux2build.images.formats.contract import Decoder, Header, PictureFormat


def _plugin() -> Decoder:
    from PIL import BmpImagePlugin

    return BmpImagePlugin.BmpImageFile


FORMAT: Final[PictureFormat] = PictureFormat(
    name="bmp",
    media_type="image/bmp",
    suffixes=(".bmp",),
    rank=6,
    matches=lambda data: data.startswith(b"BM"),
    header=lambda data: Header("bmp", end=len(data)),
    on_pages=False,
    plugin=_plugin,
    bytes_per_pixel=11,
)
