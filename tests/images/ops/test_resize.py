"""`resize` obeys its box, keeps shape and alpha, and never makes pixels up unasked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.ops.resize import OP
from flux2build.tables.table import TableError

SIDES = st.integers(1, 120)
SIZES = st.tuples(SIDES, SIDES)


def resized(image: Image.Image, **params: object) -> Image.Image:
    """The picture after `resize` with these parameters."""
    return OP.model_validate(params).apply(image, [])


@given(SIZES, SIZES)
@settings(deadline=None)
def test_fit_lies_within_the_box_and_touches_it(
    size: tuple[int, int], box: tuple[int, int]
) -> None:
    """The result is inside the box, meets it on one side, and keeps its shape up to a pixel."""
    image = Image.new("L", size)
    width, height = resized(image, width=box[0], height=box[1], upscale=True).size
    assert width <= box[0]
    assert height <= box[1]
    assert width == box[0] or height == box[1]
    assert abs(width * size[1] - height * size[0]) <= max(size)


@given(SIZES, SIZES, st.sampled_from(["fill", "exact"]))
@settings(deadline=None)
def test_fill_and_exact_have_the_size_that_was_asked_for(
    size: tuple[int, int], box: tuple[int, int], mode: str
) -> None:
    """No rounding ever makes the result a pixel larger or smaller."""
    image = Image.new("L", size)
    assert resized(image, width=box[0], height=box[1], mode=mode, upscale=True).size == box


@given(SIZES, SIZES, st.sampled_from(["fit", "fill", "exact"]))
@settings(deadline=None)
def test_growing_is_refused_unless_asked_for(
    size: tuple[int, int], more: tuple[int, int], mode: str
) -> None:
    """Whatever the mode, a result with more pixels a side than there were needs `upscale`."""
    box = (size[0] + more[0], size[1] + more[1])
    with pytest.raises(SpecError, match="too few"):
        resized(Image.new("L", size), width=box[0], height=box[1], mode=mode)


def test_the_width_that_is_needed_is_named() -> None:
    """Whoever must render again learns how wide."""
    with pytest.raises(SpecError) as caught:
        resized(Image.new("RGB", (1024, 768)), width=1280)
    problem = caught.value.problems[0]
    assert problem.message == "1024x768 pixels are too few for 1280x960"
    assert "at least 1280 wide" in (problem.hint or "")


@given(SIDES)
def test_one_side_alone_keeps_the_shape(width: int) -> None:
    """Half the width is half the height."""
    assert resized(Image.new("L", (width * 2, width * 4)), width=width).size == (width, width * 2)


def test_no_size_too_small_to_exist() -> None:
    """A very flat picture keeps at least one row."""
    assert resized(Image.new("L", (900, 2)), width=10).size == (10, 1)


def test_edges_of_transparency_keep_their_colour() -> None:
    """Scaling white on transparent black makes grey alpha, never grey colour."""
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (10, 10, 31, 31))
    small = resized(image, width=13)
    seen = [pixel for pixel in zip(*[iter(small.tobytes())] * 4, strict=True) if pixel[3]]
    assert seen
    assert all(min(pixel[:3]) >= 250 for pixel in seen if pixel[3] > 8)


def test_a_picture_that_already_fits_is_untouched() -> None:
    """The same size is the same pixels."""
    image = Image.linear_gradient("L")
    assert resized(image, width=256).tobytes() == image.tobytes()


def test_a_size_too_large_for_memory_is_refused() -> None:
    """Even with `upscale`, the size is checked before a pixel is made."""
    with pytest.raises(SpecError, match="too large to make"):
        resized(Image.new("RGB", (400, 400)), width=16000, upscale=True)


def test_fill_keeps_the_side_of_its_anchor() -> None:
    """Filling a square from a wide picture keeps the side that was asked for."""
    image = Image.new("L", (40, 20))
    image.paste(255, (20, 0, 40, 20))
    params = {"width": 10, "height": 10, "mode": "fill"}
    assert min(resized(image, **params, anchor="right").tobytes()) > 200
    assert max(resized(image, **params, anchor="left").tobytes()) < 50


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({}, "give `width`, `height` or both"),
        ({"width": 3, "mode": "fill"}, "needs both"),
        ({"width": 3, "anchor": "top"}, "goes with"),
        ({"width": 0}, "greater than or equal to 1"),
        ({"width": "3"}, "valid integer"),
    ],
)
def test_parameters_that_say_too_little_or_too_much_are_refused(
    params: dict[str, object], complaint: str
) -> None:
    """Each wrong combination says what to write instead."""
    with pytest.raises(TableError, match=complaint):
        OP.model_validate(params)
