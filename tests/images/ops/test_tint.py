"""`tint` keeps black, white and alpha, and colours what lies between."""

from __future__ import annotations

from PIL import Image

from flux2build.images.ops.tint import OP


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


def test_black_and_white_stay_and_the_middle_takes_the_colour() -> None:
    """The colour belongs to middle tones."""
    image = Image.new("RGB", (3, 1))
    image.putdata([(0, 0, 0), (127, 127, 127), (255, 255, 255)])
    tinted = applied(image, color="#0A84FF")
    assert pixel(tinted, 0, 0) == (0, 0, 0)
    assert pixel(tinted, 2, 0) == (255, 255, 255)
    middle = pixel(tinted, 1, 0)
    assert max(abs(a - b) for a, b in zip(middle, (0x0A, 0x84, 0xFF), strict=True)) <= 2


def test_a_strength_of_nothing_changes_nothing() -> None:
    """Strength is the share of the tint; alpha is never touched."""
    image = Image.new("RGBA", (2, 2), (10, 200, 30, 77))
    assert applied(image, color="red", strength=0).tobytes() == image.tobytes()
    assert pixel(applied(image, color="red"), 0, 0)[3] == 77
