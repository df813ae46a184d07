"""TIFF: told by its first bytes, read by Pillow."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from flux2build.images.decode import decode
from flux2build.images.formats.lookup import examine


def test_it_is_read() -> None:
    """Its pixels come out as they went in; its size is not looked for outside of them."""
    file = BytesIO()
    picture = Image.linear_gradient("L").convert("RGB")
    picture.save(file, "tiff")

    assert examine(file.getvalue()).format == "tiff"
    assert decode(file.getvalue(), "scan").tobytes() == picture.tobytes()
