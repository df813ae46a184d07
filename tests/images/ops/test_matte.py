"""`matte` replaces transparency by a colour."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flux2build.images.ops.matte import OP


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


@given(st.integers(0, 255))
def test_colours_mix_by_alpha(alpha: int) -> None:
    """Black at some opacity on white is the grey that is left over."""
    matted = applied(Image.new("RGBA", (2, 2), (0, 0, 0, alpha)))
    assert matted.mode == "RGB"
    assert abs(pixel(matted, 0, 0)[0] - (255 - alpha)) <= 1


def test_an_opaque_picture_is_untouched() -> None:
    """There is nothing to put a colour behind."""
    image = Image.linear_gradient("L").convert("RGB")
    assert applied(image, color="red").tobytes() == image.tobytes()
