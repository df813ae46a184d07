"""JPEG: markers, with pixels between them."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from flux2build.images.encode import encode
from flux2build.images.formats.jpeg import JpegEncoder
from flux2build.images.formats.lookup import examine, holds_more

PICTURE = Image.linear_gradient("L").resize((70, 30)).convert("RGB")


@pytest.mark.parametrize("progressive", [True, False])
def test_every_true_prefix_has_a_fault(progressive: bool) -> None:  # noqa: FBT001 - a parameter
    """No file that lost its last bytes looks whole, whether it has one scan or many."""
    file = BytesIO()
    PICTURE.save(file, "jpeg", progressive=progressive)
    data = file.getvalue()

    assert examine(data).fault is None
    assert all(examine(data[:end]).fault for end in range(3, len(data)))


def test_fill_bytes_are_no_obstacle() -> None:
    """Any number of them may stand before a marker."""
    data = encode(PICTURE, {"format": "jpeg"})
    filled = data[:2] + b"\xff\xff\xff" + data[2:]

    assert (examine(filled).width, examine(filled).fault) == (70, None)


def test_a_comment_is_more_than_a_picture() -> None:
    """So are EXIF and XMP, which lie in segments too."""
    data = encode(PICTURE, {"format": "jpeg"})

    assert not holds_more(data)
    assert holds_more(data[:2] + b"\xff\xfe\x00\x06home" + data[2:])


@pytest.mark.parametrize(("quality", "resolution"), [(89, "4:2:0"), (90, "4:4:4")])
def test_good_pictures_keep_the_resolution_of_colour(quality: int, resolution: str) -> None:
    """From quality 90 on colour is stored in full, unless something else is asked for."""
    assert JpegEncoder(format="jpeg", quality=quality).resolution == resolution
    assert JpegEncoder(format="jpeg", quality=quality, subsampling="4:2:0").resolution == "4:2:0"
