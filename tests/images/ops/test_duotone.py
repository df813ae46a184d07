"""`duotone` prints every tone on the ramp between two inks."""

from __future__ import annotations

from PIL import Image

from flux2build.images.ops.duotone import OP


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


INKS = {"shadows": "#200050", "highlights": "#ffcc66"}


def test_the_darkest_and_the_lightest_tone_are_the_two_inks() -> None:
    """With contrast, even a flat picture reaches both; without, tones keep their place."""
    image = Image.new("RGB", (2, 1), (100, 100, 100))
    image.putpixel((1, 0), (150, 150, 150))
    printed = applied(image, **INKS)
    assert pixel(printed, 0, 0) == (0x20, 0x00, 0x50)
    assert pixel(printed, 1, 0) == (0xFF, 0xCC, 0x66)
    flat = applied(image, **INKS, contrast=False)
    assert (0x20, 0, 0x50) < pixel(flat, 0, 0) < pixel(flat, 1, 0) < (0xFF, 0xCC, 0x66)


def test_what_cannot_be_seen_sets_no_tone() -> None:
    """Black stored under transparency does not count as the darkest tone."""
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (100, 100, 100, 255))
    image.putpixel((2, 0), (200, 200, 200, 255))
    printed = applied(image, **INKS)
    assert pixel(printed, 1, 0) == (0x20, 0x00, 0x50, 255)
    assert pixel(printed, 0, 0)[3] == 0
