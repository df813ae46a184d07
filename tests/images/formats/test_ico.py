"""ICO: several sizes in one file."""

from __future__ import annotations

import io

import pytest
from PIL import IcoImagePlugin, Image

from flux2build.images.encode import encode
from flux2build.images.formats.contract import PictureError
from flux2build.images.formats.ico import packed
from flux2build.images.formats.lookup import examine
from flux2build.images.provenance.iptc import SourceType, source_type


def square(side: int, color: str = "#ff00ff80") -> Image.Image:
    """A square of one half-transparent colour."""
    return Image.new("RGBA", (side, side), color)


def test_another_program_reads_every_size() -> None:
    """Sizes come back with their own pixels, transparency included."""
    data = encode(square(64), {"format": "ico", "sizes": [64, 16, 24]})

    icon = IcoImagePlugin.IcoFile(io.BytesIO(data))

    assert icon.sizes() == {(16, 16), (24, 24), (64, 64)}
    for side in (16, 24, 64):
        image = icon.getimage((side, side))
        assert image.convert("RGBA").getcolors() == [(side * side, (0xFF, 0, 0xFF, 0x80))]


def test_the_header_has_the_largest_size() -> None:
    """A side of 256 is written as 0 and read as 256, and a cut is noticed."""
    data = encode(square(256), {"format": "ico", "sizes": [16, 256]})

    header = examine(data)

    assert (header.format, header.width, header.height, header.fault) == ("ico", 256, 256, None)
    assert examine(data[:-1]).fault == "it ends too early"
    assert examine(data[:8]).fault == "it ends too early"


def test_the_usual_sizes() -> None:
    """Without `sizes` it holds those of 16, 32 and 48 that the picture is large enough for."""
    assert IcoImagePlugin.IcoFile(io.BytesIO(encode(square(48), {"format": "ico"}))).sizes() == {
        (16, 16), (32, 32), (48, 48),
    }  # fmt: skip
    small = encode(square(40), {"format": "ico"})
    assert IcoImagePlugin.IcoFile(io.BytesIO(small)).sizes() == {(16, 16), (32, 32)}


@pytest.mark.parametrize(("size", "sizes"), [((48, 32), None), ((32, 32), [48]), ((8, 8), None)])
def test_no_pixels_are_invented(size: tuple[int, int], sizes: list[int] | None) -> None:
    """A picture that is too small or not square is refused."""
    image = Image.new("RGB", size)

    with pytest.raises(PictureError, match="cannot be this ico"):
        encode(image, {"format": "ico", **({"sizes": sizes} if sizes else {})})


def test_sizes_are_sorted() -> None:
    """The same pictures give the same file, in whatever order they come."""
    pictures = [(32, b"large"), (16, b"small")]

    assert packed(pictures) == packed(pictures[::-1])


def test_it_says_where_it_comes_from() -> None:
    """The mark of generated pictures is in the largest size."""
    data = encode(square(48), {"format": "ico", "source_type": SourceType.TRAINED})

    assert source_type(data) == SourceType.TRAINED
