"""`blur` softens without changing the size, the mean or the colour of edges."""

from __future__ import annotations

import pytest
from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.ops.blur import OP


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


def test_a_single_colour_stays_that_colour() -> None:
    """There is nothing to soften in a flat picture."""
    flat = Image.new("RGB", (30, 20), (12, 200, 99))
    assert applied(flat, radius=5).tobytes() == flat.tobytes()


def test_transparent_edges_soften_without_darkening() -> None:
    """White beside transparent black stays white while it fades."""
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (0, 0, 20, 40))
    soft = applied(image, radius=4)
    assert 100 < pixel(soft, 20, 20)[3] < 160
    assert min(pixel(soft, 22, 20)[:3]) >= 250


def test_a_box_leaves_the_rest_alone() -> None:
    """Only the part inside the box changes."""
    image = Image.radial_gradient("L").convert("RGB")
    done = applied(image, radius=9, box=[100, 100, 50, 50])
    assert done.crop((0, 0, 100, 256)).tobytes() == image.crop((0, 0, 100, 256)).tobytes()
    inside = (100, 100, 150, 150)
    assert done.crop(inside).tobytes() != image.crop(inside).tobytes()


@pytest.mark.parametrize("box", [[20, 0, 11, 5], [0, 0, 0, 5]])
def test_a_box_outside_the_picture_is_refused(box: list[int]) -> None:
    """The message names the box and the picture."""
    with pytest.raises(SpecError, match="is not inside 30x20"):
        applied(Image.new("RGB", (30, 20)), radius=1, box=box)
