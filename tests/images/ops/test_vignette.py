"""`vignette` shades the corners and leaves the middle alone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.images.ops.vignette import OP


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


@given(st.integers(50, 300), st.integers(50, 300))
@settings(max_examples=20, deadline=None)
def test_the_middle_stays_and_every_corner_is_shaded_alike(width: int, height: int) -> None:
    """Whatever the shape of the picture, shading follows it."""
    shaded = applied(Image.new("RGB", (width, height), "white"), strength=1)
    assert min(pixel(shaded, width // 2, height // 2)) >= 254
    corners = [pixel(shaded, x, y)[0] for x in (0, width - 1) for y in (0, height - 1)]
    assert max(corners) < 30
    assert max(corners) - min(corners) <= 12


def test_the_colour_and_strength_are_those_asked_for() -> None:
    """A corner takes its share of the colour; alpha stays."""
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 50))
    corner = pixel(applied(image, strength=0.5, color="#ffffff"), 0, 0)
    assert 110 < corner[0] <= 128
    assert corner[3] == 50
