"""TIFF: what scanners and print programs write; read only."""

from __future__ import annotations

from typing import Final

from flux2build.images.formats.contract import Decoder, Header, PictureFormat


def _plugin() -> Decoder:
    from PIL import TiffImagePlugin

    return TiffImagePlugin.TiffImageFile


FORMAT: Final[PictureFormat] = PictureFormat(
    name="tiff",
    media_type="image/tiff",
    suffixes=(".tif", ".tiff"),
    rank=7,
    matches=lambda data: data.startswith((b"II*\x00", b"MM\x00*")),
    header=lambda data: Header("tiff", end=len(data)),
    on_pages=False,
    plugin=_plugin,
    bytes_per_pixel=12,
)
