"""`flip` mirrors exactly."""

from __future__ import annotations

import pytest
from PIL import Image

from flux2build.images.ops.flip import OP
from flux2build.tables.table import TableError


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


@pytest.mark.parametrize(("direction", "corner"), [("horizontal", (5, 0)), ("vertical", (0, 3))])
def test_each_direction_moves_the_corner_across(direction: str, corner: tuple[int, int]) -> None:
    """`horizontal` exchanges left and right, `vertical` top and bottom; twice is nothing."""
    image = Image.new("RGBA", (6, 4), (0, 0, 255, 128))
    image.putpixel((0, 0), (255, 0, 0, 7))
    flipped = applied(image, direction=direction)
    assert pixel(flipped, *corner) == (255, 0, 0, 7)
    assert applied(flipped, direction=direction).tobytes() == image.tobytes()


def test_another_direction_is_refused() -> None:
    """The message lists the two that there are."""
    with pytest.raises(TableError, match="'horizontal' or 'vertical'"):
        OP.model_validate({"direction": "left"})
