"""AVIF: boxes in boxes."""

from __future__ import annotations

import pytest
from PIL import Image

from flux2build.images.encode import encode
from flux2build.images.formats.isobmff import boxes
from flux2build.images.formats.lookup import examine, sniff

DATA = encode(Image.new("RGB", (70, 30), "red"), {"format": "avif"})


@pytest.mark.parametrize("brand", [b"avif", b"avis"])
def test_the_brand_tells_it(brand: bytes) -> None:
    """Still pictures and sequences are one format."""
    assert sniff(DATA.replace(b"avif", brand)) == "avif"


def test_the_largest_item_is_the_picture() -> None:
    """The size is read without decoding, from the properties of its items."""
    assert (examine(DATA).width, examine(DATA).height) == (70, 30)


def test_a_cut_between_boxes_is_noticed() -> None:
    """A file needs its items and their bytes, even where a box has just ended."""
    ends = [stop for _, _, stop in boxes(DATA)]

    assert [examine(DATA[:end]).fault for end in ends] == ["it ends too early"] * 2 + [None]
    assert [examine(DATA[:end]).end for end in ends] == [None, None, len(DATA)]


def test_boxes_have_three_ways_to_tell_their_length() -> None:
    """In four bytes, in eight bytes, or to the end."""
    short, long, rest = (
        b"\0\0\0\x0afreeab",
        b"\0\0\0\x01free" + bytes(7) + b"\x12ab",
        b"\0\0\0\0freeabcd",
    )

    assert [data[start:stop] for data in [short + long + rest] for _, start, stop in boxes(data)] == [
        b"ab", b"ab", b"abcd",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="4"):
        list(boxes(b"\0\0\0\x04free"))
