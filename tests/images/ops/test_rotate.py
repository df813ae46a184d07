"""`rotate` turns clockwise; quarter turns are exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flux2build.images.ops.rotate import OP
from flux2build.tables.table import TableError


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


def marked() -> Image.Image:
    """A blue picture with a red top left pixel."""
    image = Image.new("RGB", (5, 3), "blue")
    image.putpixel((0, 0), (255, 0, 0))
    return image


@pytest.mark.parametrize(
    ("degrees", "corner", "size"),
    [
        (90, (2, 0), (3, 5)),
        (180, (4, 2), (5, 3)),
        (270, (0, 4), (3, 5)),
        (-90, (0, 4), (3, 5)),
        (360, (0, 0), (5, 3)),
    ],
)
def test_quarter_turns_move_pixels_clockwise(
    degrees: int, corner: tuple[int, int], size: tuple[int, int]
) -> None:
    """The top left corner goes to the top right, and no colour changes."""
    turned = applied(marked(), degrees=degrees)
    assert turned.size == size
    assert pixel(turned, *corner) == (255, 0, 0)
    assert sorted(turned.getcolors() or []) == sorted(marked().getcolors() or [])


@given(st.integers(-7, 7))
def test_four_quarters_are_none(quarters: int) -> None:
    """Turning there and back gives the same bytes."""
    there = applied(marked(), degrees=max(-360, min(360, quarters * 90)))
    back = applied(there, degrees=-max(-360, min(360, quarters * 90)))
    assert back.tobytes() == marked().tobytes()


def test_corners_are_transparent_and_edges_are_not_dark() -> None:
    """A turned white square has white edges that fade, without black in them."""
    turned = applied(Image.new("RGB", (40, 40), "white"), degrees=30)
    assert turned.mode == "RGBA"
    assert turned.width > 40
    channels = zip(*[iter(turned.tobytes())] * 4, strict=True)
    assert all(min(seen[:3]) >= 245 for seen in channels if seen[3] > 16)


def test_a_colour_fills_the_corners_and_leaves_no_alpha() -> None:
    """With `expand = false` the size stays."""
    turned = applied(marked(), degrees=45, expand=False, color="#fff")
    assert (turned.mode, turned.size) == ("RGB", (5, 3))
    assert pixel(turned, 4, 0) != (0, 0, 0)


def test_a_turn_beyond_a_circle_is_refused() -> None:
    """Angles lie within one turn either way."""
    with pytest.raises(TableError, match="less than or equal to 360"):
        OP.model_validate({"degrees": 361})
