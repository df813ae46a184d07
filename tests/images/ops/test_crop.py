"""`crop` cuts exactly the part that was asked for, and never invents a pixel."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.geometry import Anchor
from flux2build.images.ops.crop import OP
from flux2build.tables.table import TableError

SIDES = st.integers(1, 90)


def board() -> Image.Image:
    """A picture of 90 x 60 whose red and green tell where a pixel came from."""
    image = Image.new("RGB", (90, 60))
    image.putdata([(x, y, 0) for y in range(60) for x in range(90)])
    return image


def cropped(image: Image.Image, **params: object) -> Image.Image:
    """The picture after `crop` with these parameters."""
    return OP.model_validate(params).apply(image, [])


@given(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES))
def test_a_ratio_never_exceeds_the_picture_and_touches_its_edges(
    size: tuple[int, int], ratio: tuple[int, int]
) -> None:
    """The part lies inside, is as large as can be, and has the shape up to one pixel."""
    width, height = cropped(Image.new("L", size), ratio=f"{ratio[0]}:{ratio[1]}").size
    assert 1 <= width <= size[0]
    assert 1 <= height <= size[1]
    assert width == size[0] or height == size[1]
    assume(min(width, height) > 1)
    assert abs(width * ratio[1] - height * ratio[0]) <= max(ratio)


@given(st.floats(0, 1), st.floats(0, 1), SIDES, st.integers(1, 60))
def test_a_focus_stays_inside_the_part(x: float, y: float, width: int, height: int) -> None:
    """The point of interest is never cut off."""
    left, top, _blue = pixel(cropped(board(), width=width, height=height, focus=[x, y]))
    assert left - 1 <= x * 90 <= left + width + 1
    assert top - 1 <= y * 60 <= top + height + 1


@pytest.mark.parametrize(
    ("anchor", "corner"),
    [
        ("top-left", (0, 0)),
        ("top", (30, 0)),
        ("top-right", (60, 0)),
        ("left", (0, 20)),
        ("center", (30, 20)),
        ("right", (60, 20)),
        ("bottom-left", (0, 40)),
        ("bottom", (30, 40)),
        ("bottom-right", (60, 40)),
    ],
)
def test_an_anchor_says_which_part_is_kept(anchor: Anchor, corner: tuple[int, int]) -> None:
    """Nine anchors, nine corners."""
    part = cropped(board(), width=30, height=20, anchor=anchor)
    assert part.size == (30, 20)
    assert pixel(part)[:2] == corner


def test_a_box_is_taken_literally() -> None:
    """Left, top, width and height, in this order."""
    part = cropped(board(), box=[5, 7, 11, 13])
    assert part.size == (11, 13)
    assert pixel(part) == (5, 7, 0)


def test_one_side_keeps_the_other() -> None:
    """A width alone keeps the whole height."""
    assert cropped(board(), width=40).size == (40, 60)


@pytest.mark.parametrize("params", [{"box": [80, 0, 11, 5]}, {"width": 91}])
def test_a_part_outside_the_picture_is_refused(params: dict[str, object]) -> None:
    """Crop never pads: the message names both sizes."""
    with pytest.raises(SpecError, match="out of 90x60 pixels"):
        cropped(board(), **params)


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({}, "give one of"),
        ({"ratio": "1:1", "width": 3}, "give one of"),
        ({"ratio": "16x9"}, "is not a ratio"),
        ({"ratio": "0:9"}, "is not a ratio"),
        ({"ratio": "1:1", "anchor": "top", "focus": [0.5, 0.5]}, "exclude each other"),
        ({"box": [0, 0, 4, 4], "anchor": "top"}, "`box` says where"),
        ({"box": [0, 0, 0, 4]}, "at least 1"),
        ({"box": [0, 0, 4]}, "at least 4 items"),
        ({"ratio": "1:1", "anchor": "middle"}, "'center'"),
        ({"width": 3.5}, "valid integer"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(
    params: dict[str, object], complaint: str
) -> None:
    """Each wrong combination says what to write instead."""
    with pytest.raises(TableError, match=complaint):
        OP.model_validate(params)


def pixel(image: Image.Image) -> tuple[int, ...]:
    """The top left pixel."""
    found = image.getpixel((0, 0))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)
