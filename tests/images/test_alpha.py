"""Work on colours leaves alpha alone, and invisible colours do not leak into visible ones."""

from __future__ import annotations

from PIL import Image, ImageFilter

from flux2build.images.alpha import faded, on_colours, on_solid


def half() -> Image.Image:
    """Orange on the left, transparent black on the right."""
    image = Image.new("RGBA", (20, 8), (0, 0, 0, 0))
    image.paste((250, 150, 50, 255), (0, 0, 10, 8))
    return image


def test_alpha_is_the_same_after_work_on_colours() -> None:
    """The transparency is kept, even by work that returns another picture."""
    white = Image.new("RGB", (20, 8), "white")
    result = on_colours(half(), lambda _colours: white)
    assert result.getchannel("A").tobytes() == half().getchannel("A").tobytes()
    assert on_colours(half().convert("RGB"), lambda colours: colours).mode == "RGB"


def test_neighbours_see_no_black_that_cannot_be_seen() -> None:
    """A blur of the colours alone stays orange up to the edge."""
    result = on_solid(half(), 4, lambda colours: colours.filter(ImageFilter.BoxBlur(2)))
    colour = result.getpixel((9, 4))
    assert isinstance(colour, tuple)
    assert all(abs(a - b) <= 2 for a, b in zip(colour, (250, 150, 50, 255), strict=True))


def test_a_mask_multiplies_what_is_there() -> None:
    """Alpha values are multiplied: half of half is a quarter."""
    image = Image.new("RGBA", (1, 1), (9, 9, 9, 128))
    assert faded(image, Image.new("L", (1, 1), 128)).getpixel((0, 0)) == (9, 9, 9, 64)
    assert faded(image.convert("RGB"), Image.new("L", (1, 1), 0)).getpixel((0, 0)) == (9, 9, 9, 0)
