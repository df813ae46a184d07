"""`denoise` removes specks and keeps edges."""

from __future__ import annotations

from PIL import Image

from flux2build.images.ops.denoise import OP


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


def specked() -> Image.Image:
    """Black beside white, with a white speck in the black."""
    image = Image.new("RGB", (20, 20), "black")
    image.paste("white", (10, 0, 20, 20))
    image.putpixel((4, 10), (255, 255, 255))
    return image


def test_specks_go_and_edges_stay() -> None:
    """A single odd pixel vanishes; a straight edge does not move."""
    clean = applied(specked())
    assert pixel(clean, 4, 10) == (0, 0, 0)
    assert pixel(clean, 9, 5) == (0, 0, 0)
    assert pixel(clean, 10, 5) == (255, 255, 255)


def test_half_the_strength_is_half_the_effect() -> None:
    """Strength mixes the cleaned picture with the first one."""
    assert 120 < pixel(applied(specked(), strength=0.5), 4, 10)[0] < 136


def test_transparent_edges_do_not_darken() -> None:
    """A thin opaque line keeps its colour although black is stored around it."""
    image = Image.new("RGBA", (9, 9), (0, 0, 0, 0))
    image.paste((200, 100, 50, 255), (4, 0, 5, 9))
    seen = pixel(applied(image, radius=3), 4, 4)
    assert max(abs(a - b) for a, b in zip(seen, (200, 100, 50, 255), strict=True)) <= 8
