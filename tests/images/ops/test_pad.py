"""`pad` adds room and changes no pixel of the picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.ops.pad import OP
from flux2build.tables.table import TableError


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


SIDES = st.integers(1, 60)


@given(SIDES, SIDES, st.integers(0, 20), st.sampled_from(["top-left", "center", "bottom"]))
def test_the_picture_is_found_again_on_its_canvas(
    width: int, height: int, border: int, anchor: str
) -> None:
    """A border makes the canvas larger by twice its width; inside, every pixel is as it was."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    canvas = applied(image, border=border, anchor=anchor, color="#123")
    assert canvas.size == (width + 2 * border, height + 2 * border)
    left, top = {"top-left": (0, 0), "center": (border, border), "bottom": (border, 2 * border)}[
        anchor
    ]
    assert canvas.crop((left, top, left + width, top + height)).tobytes() == image.tobytes()


@given(SIDES, SIDES, SIDES, SIDES)
def test_a_ratio_gives_the_smallest_canvas_with_that_shape(
    width: int, height: int, across: int, down: int
) -> None:
    """The canvas has the shape up to a pixel, and touches the picture on two sides."""
    size = applied(Image.new("RGB", (width, height)), ratio=f"{across}:{down}").size
    assert size[0] >= width
    assert size[1] >= height
    assert size[0] == width or size[1] == height
    assert abs(size[0] * down - size[1] * across) <= max(across, down)


def test_the_room_is_transparent_unless_a_colour_is_given() -> None:
    """Without a colour the canvas has alpha; with an opaque one it has none."""
    image = Image.new("RGB", (4, 4), "red")
    clear, navy = applied(image, width=8), applied(image, width=8, color="navy")
    assert (clear.mode, pixel(clear, 0, 0)[3], pixel(clear, 4, 0)) == ("RGBA", 0, (255, 0, 0, 255))
    assert (navy.mode, pixel(navy, 0, 0)) == ("RGB", (0, 0, 128))


def test_transparency_shows_the_colour_of_the_canvas() -> None:
    """Half-transparent white on black is grey and keeps no alpha below full."""
    canvas = applied(Image.new("RGBA", (2, 2), (255, 255, 255, 128)), border=1, color="black")
    assert pixel(canvas, 1, 1) == (128, 128, 128, 255)


def test_a_canvas_that_is_too_small_is_refused() -> None:
    """Pad never cuts; the message names both sizes."""
    with pytest.raises(SpecError, match="3x9 is too small for a picture of 4x4"):
        applied(Image.new("RGB", (4, 4)), width=3, height=9)


@pytest.mark.parametrize("params", [{}, {"border": 1, "width": 5}, {"ratio": "1:1", "border": 2}])
def test_one_way_to_size_the_canvas_is_needed(params: dict[str, object]) -> None:
    """Size, shape and border exclude each other."""
    with pytest.raises(TableError, match="give one of"):
        OP.model_validate(params)


def test_a_canvas_too_large_for_memory_is_refused() -> None:
    """The size is checked before a pixel is made."""
    with pytest.raises(SpecError, match="too large to make"):
        applied(Image.new("RGB", (4, 4)), ratio="4000000:1")
