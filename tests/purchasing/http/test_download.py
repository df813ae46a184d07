"""Whether a picture has its end."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from flux2build.purchasing.http.download import FetchError, embedded, whole


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_cut_pictures_are_noticed(format_: str) -> None:
    """A picture without its last bytes is not whole, the complete one is."""
    file = BytesIO()
    Image.radial_gradient("L").save(file, format_)
    data = file.getvalue()

    assert whole(data)
    assert not whole(data[:-8])
    assert not whole(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("url", "data"),
    [
        ("data:image/png;base64,aGk=", b"hi"),
        ("data:image/png;base64,aG\nk", b"hi"),
        ("data:;base64,-_8", b"\xfb\xff"),
        ("data:,a%20b,c", b"a b,c"),
    ],
)
def test_pictures_in_urls(url: str, data: bytes) -> None:
    """Base64 of either alphabet, with padding or without, or percent signs."""
    assert embedded(url) == data


def test_what_cannot_be_decoded() -> None:
    """It is said, without the text."""
    with pytest.raises(FetchError) as caught:
        embedded("data:;base64,A")

    assert str(caught.value) == "the picture in the answer is not base64"


def test_unknown_formats_are_for_others_to_judge() -> None:
    """Data of an unknown format passes, but no data does not."""
    assert whole(b"<html>")
    assert not whole(b"")
