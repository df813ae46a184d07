"""Small copies of pictures for pages and sheets that show many."""

from __future__ import annotations

import io
from typing import NamedTuple

from PIL import Image

from flux2build.images.decode import decode


class Preview(NamedTuple):
    """A small copy as a WebP file, and its size in pixels."""

    data: bytes
    width: int
    height: int


def preview(data: bytes, side: int) -> Preview:
    """A copy that fits a square of so many pixels; a smaller picture keeps its size.

    Raises:
        PictureError: the picture cannot be decoded.
    """
    image = decode(data, "picture")
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "WEBP", quality=82, method=4)
    return Preview(file.getvalue(), *small.size)
