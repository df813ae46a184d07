"""`grid` gives every picture a cell, in reading order."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.ops.grid import OP


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


def png(image: Image.Image) -> bytes:
    """A picture's file."""
    target = io.BytesIO()
    image.save(target, "png")
    return target.getvalue()


def composed(pictures: list[Image.Image], **params: object) -> Image.Image:
    """The sheet of these pictures; the first is the one that is worked on."""
    marks = [{"input": index} for index in range(1, len(pictures))]
    settings_ = OP.model_validate({"sources": marks, **params})
    return settings_.apply(pictures[0], [png(picture) for picture in pictures])


def square(level: int, size: tuple[int, int] = (6, 4)) -> Image.Image:
    """A grey picture."""
    return Image.new("RGB", size, (level, level, level))


@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 4))
@settings(max_examples=20, deadline=None)
def test_pictures_lie_in_reading_order(count: int, columns: int, padding: int) -> None:
    """Row by row, each in its cell, with padding between and around."""
    sheet = composed(
        [square(20 * n + 20) for n in range(count)],
        columns=columns,
        padding=padding,
        color="#000",
    )
    across, down = min(count, columns), -(-count // columns)
    assert sheet.size == (across * (6 + padding) + padding, down * (4 + padding) + padding)
    for index in range(count):
        x = padding + index % columns * (6 + padding)
        y = padding + index // columns * (4 + padding)
        assert pixel(sheet, x, y)[0] == pixel(sheet, x + 5, y + 3)[0] == 20 * index + 20


def test_a_pivot_says_where_smaller_pictures_stand() -> None:
    """Figures of several heights stand on one line."""
    sheet = composed([square(50, (4, 8)), square(90, (4, 3))], columns=2, pivot="bottom")
    assert pixel(sheet, 4, 7) == (90, 90, 90, 255)
    assert pixel(sheet, 4, 4)[3] == 0


def test_larger_pictures_are_scaled_down_to_their_cell() -> None:
    """A cell is never exceeded, and a small picture is never scaled up."""
    sheet = composed([square(50, (40, 20)), square(90, (4, 4))], columns=2, cell=[10, 10])
    assert sheet.size == (20, 10)
    assert pixel(sheet, 0, 0)[3] == 0
    assert pixel(sheet, 0, 5) == (50, 50, 50, 255)
    assert pixel(sheet, 11, 5)[3] == 0


def test_the_first_cell_can_be_left_to_the_others() -> None:
    """Without `first` the picture that is worked on is not on the sheet."""
    sheet = composed([square(50), square(90)], columns=2, first=False)
    assert sheet.size == (6, 4)
    assert pixel(sheet, 0, 0)[0] == 90


def test_a_sheet_too_large_for_memory_is_refused() -> None:
    """The size is checked before a pixel is made."""
    with pytest.raises(SpecError, match="too large to make"):
        composed([square(1), square(2)], columns=2, cell=[8000, 8000])


def strip(levels: list[int]) -> Image.Image:
    """A board of one row, each frame of its own grey with a white corner."""
    image = Image.new("RGB", (6 * len(levels), 4))
    for index, level in enumerate(levels):
        image.paste((level,) * 3, (6 * index, 0, 6 * index + 6, 4))
        image.putpixel((6 * index, 0), (255, 255, 255))
    return image


def test_boards_are_laid_out_frame_by_frame() -> None:
    """Two strips of three become three rows of two, in reading order."""
    sheet = composed([strip([10, 20, 30]), strip([40, 50, 60])], columns=2, board=[3, 1])
    assert sheet.size == (12, 12)
    found = [pixel(sheet, 6 * (n % 2) + 3, 4 * (n // 2) + 2)[0] for n in range(6)]
    assert found == [10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize(
    ("levels", "complaint", "allowed"),
    [
        ([10, 255, 30], "cell 1 of the board is empty", "allow_empty"),
        ([10, 20, 10], "cells 0 and 2 of the board are identical", "allow_twins"),
    ],
)
def test_frames_that_are_none_are_refused_unless_allowed(
    levels: list[int], complaint: str, allowed: str
) -> None:
    """An atlas is checked as its frames would be."""
    pictures = [strip([40, 50, 60]), strip(levels)]
    with pytest.raises(SpecError, match=complaint) as caught:
        composed(pictures, columns=3, board=[3, 1])
    assert caught.value.problems[0].rows[-1] == ("board", "2 of 2")
    assert composed(pictures, columns=3, board=[3, 1], **{allowed: True}).size == (18, 8)


def test_a_board_of_another_grid_is_refused() -> None:
    """Each picture must have the grid that was declared."""
    with pytest.raises(SpecError, match="no 4 equal columns"):
        composed([strip([1, 2, 3])], columns=4, board=[4, 1])
