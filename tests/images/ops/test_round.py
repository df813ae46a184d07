"""`round` takes corners away evenly and touches nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from flux2build.images.ops.round import OP
from flux2build.tables.table import TableError


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


@given(st.integers(4, 80), st.integers(4, 80), st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_the_shape_is_symmetric_and_the_middle_is_whole(
    width: int, height: int, radius: int
) -> None:
    """Mirrored either way the mask is the same; corners go, the middle row and column stay."""
    alpha = applied(Image.new("RGB", (width, height), "white"), radius=radius).getchannel("A")
    for mirror in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM):
        assert alpha.transpose(mirror).tobytes() == alpha.tobytes()
    assert alpha.getpixel((width // 2, height // 2)) == 255


def test_half_of_a_square_is_a_circle() -> None:
    """The area that stays is that of a circle, with smooth edges."""
    alpha = applied(Image.new("RGB", (200, 200)), percent=50).getchannel("A")
    area = sum(alpha.tobytes()) / 255
    assert abs(area - 3.14159 * 100 * 100) < 150
    assert len(set(alpha.tobytes())) > 20


def test_colours_under_the_corners_stay_as_they_are() -> None:
    """Only alpha changes, so no dark fringe can appear; holes stay holes."""
    image = Image.new("RGBA", (40, 40), (250, 240, 230, 128))
    rounded = applied(image, radius=10)
    assert not ImageChops.difference(rounded.convert("RGB"), image.convert("RGB")).getbbox()
    assert pixel(rounded, 20, 20)[3] == 128
    assert pixel(rounded, 0, 0)[3] == 0


@pytest.mark.parametrize("params", [{}, {"radius": 3, "percent": 4}])
def test_one_measure_is_needed(params: dict[str, object]) -> None:
    """Pixels or percent, not both."""
    with pytest.raises(TableError, match="give `radius` or `percent`"):
        OP.model_validate(params)
