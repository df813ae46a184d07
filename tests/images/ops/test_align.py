"""`align` puts the figures of a board in line, so that an animation does not jump."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.ops.align import OP

CELL = (24, 20)
RED = (200, 30, 30, 255)
PLACES = st.tuples(st.integers(0, 16), st.integers(0, 12))


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def board(places: list[tuple[int, int]], padding: int = 0) -> Image.Image:
    """A row of cells, each with a red figure of 8 x 8 pixels somewhere in it."""
    width = len(places) * (CELL[0] + padding) + padding
    image = Image.new("RGBA", (width, CELL[1] + 2 * padding), (0, 0, 0, 0))
    for index, (left, top) in enumerate(places):
        x, y = padding + index * (CELL[0] + padding) + left, padding + top
        image.paste(RED, (x, y, x + 8, y + 8))
    return image


@given(st.lists(PLACES, min_size=1, max_size=5), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_figures_stand_on_one_line_wherever_they_were(
    places: list[tuple[int, int]], padding: int
) -> None:
    """With the default pivot every figure stands on the bottom of its cell, in the middle."""
    done = applied(board(places, padding), columns=len(places), padding=padding)
    assert done.tobytes() == board([(8, 12)] * len(places), padding).tobytes()
    assert applied(done, columns=len(places), padding=padding).tobytes() == done.tobytes()


@pytest.mark.parametrize(
    ("pivot", "place"),
    [("top-left", (2, 2)), ("center", (8, 6)), ("right", (14, 6)), ("bottom", (8, 10))],
)
def test_the_pivot_says_which_points_meet(pivot: str, place: tuple[int, int]) -> None:
    """Any of nine points, with an inset to keep the edges of cells free."""
    done = applied(board([(1, 3), (15, 9)]), columns=2, pivot=pivot, inset=2)
    assert done.tobytes() == board([place, place]).tobytes()


def test_haze_does_not_move_a_figure_and_empty_cells_stay_empty() -> None:
    """Pixels that nobody sees are no part of a figure; a cell without a figure is left alone."""
    image = board([(3, 3), (0, 0)])
    image.paste((0, 0, 0, 0), (CELL[0], 0, 2 * CELL[0], CELL[1]))
    image.putpixel((0, 0), (200, 30, 30, 9))
    done = applied(image, columns=2)
    assert done.getchannel("A").point(lambda level: 255 if level > 9 else 0).getbbox() == (
        8,
        12,
        16,
        20,
    )


def test_a_picture_without_transparency_has_no_figures() -> None:
    """The message says what comes first."""
    with pytest.raises(SpecError, match="nothing around the figures is transparent") as caught:
        applied(Image.new("RGB", (48, 20)), columns=2)
    assert '{ op = "key"' in (caught.value.problems[0].hint or "")


def test_a_figure_that_does_not_fit_is_named() -> None:
    """Moving never cuts: a figure larger than its room is an error with both sizes."""
    image = board([(0, 0), (9, 7)])
    image.paste((0, 0, 0, 0), (4, 0, 8, 8))
    image.paste((0, 0, 0, 0), (0, 4, 8, 8))
    with pytest.raises(SpecError, match="figure in cell 1 is 8x8 pixels, too large"):
        applied(image, columns=2, inset=7)


def test_a_board_of_another_grid_is_refused() -> None:
    """Cells are whole pixels, or the board is not what was declared."""
    with pytest.raises(SpecError, match="no 5 equal columns"):
        applied(board([(0, 0), (0, 0)]), columns=5)
