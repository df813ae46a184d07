"""Whether a picture has its end."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from flux2build.purchasing.http.download import whole


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_cut_pictures_are_noticed(format_: str) -> None:
    """A picture without its last bytes is not whole, the complete one is."""
    file = BytesIO()
    Image.radial_gradient("L").save(file, format_)
    data = file.getvalue()

    assert whole(data)
    assert not whole(data[:-8])
    assert not whole(data[: len(data) // 2])


def test_unknown_formats_are_for_others_to_judge() -> None:
    """Something that is no known picture passes, nothing at all does not."""
    assert whole(b"<html>")
    assert not whole(b"")
