"""`slice` cuts frames out of boards and refuses boards that are not as declared."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.ops.slice import OP
from flux2build.tables.table import TableError


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


def board(columns: int, rows: int, gap: int = 0, margin: int = 0) -> Image.Image:
    """A board of 8 x 6 cells; each has its own grey and a white corner."""
    size = (columns * (8 + gap) - gap + 2 * margin, rows * (6 + gap) - gap + 2 * margin)
    image = Image.new("RGB", size, "black")
    for index in range(columns * rows):
        x = margin + index % columns * (8 + gap)
        y = margin + index // columns * (6 + gap)
        image.paste((index + 1,) * 3, (x, y, x + 8, y + 6))
        image.putpixel((x, y), (255, 255, 255))
    return image


@given(
    st.integers(1, 6), st.integers(1, 4), st.integers(0, 3), st.integers(0, 3), st.integers(0, 23)
)
@settings(max_examples=40, deadline=None)
def test_every_cell_comes_out_whole(
    columns: int, rows: int, gap: int, margin: int, cell: int
) -> None:
    """Whatever gap and margin, the cell has its size, its corner and its colour."""
    cell %= columns * rows
    frame = applied(
        board(columns, rows, gap, margin),
        columns=columns,
        rows=rows,
        cell=cell,
        gap=gap,
        margin=margin,
    )
    assert frame.size == (8, 6)
    assert pixel(frame, 0, 0) == (255, 255, 255)
    assert pixel(frame, 7, 5) == (cell + 1,) * 3


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"columns": 5, "cell": 0}, "48x6 pixels has no 5 equal columns"),
        ({"columns": 6, "rows": 4, "cell": 0}, "no 4 equal rows"),
        ({"columns": 6, "cell": 0, "margin": 30}, "no 6 equal columns"),
    ],
)
def test_a_board_of_another_grid_is_refused(params: dict[str, int], complaint: str) -> None:
    """A cell with a fraction of a pixel means that the board is wrong."""
    with pytest.raises(SpecError, match=complaint):
        applied(board(6, 1), **params)


@pytest.mark.parametrize("empty", ["white", (10, 200, 30, 0)])
def test_an_empty_cell_is_refused_unless_allowed(empty: str | tuple[int, ...]) -> None:
    """A cell of one colour, or with nothing to see in it, holds no frame."""
    image = board(3, 1).convert("RGBA")
    image.paste(empty, (8, 0, 16, 6))
    with pytest.raises(SpecError, match="cell 1 of the board is empty"):
        applied(image, columns=3, cell=1)
    assert applied(image, columns=3, cell=1, allow_empty=True).size == (8, 6)


def test_twins_are_refused_unless_allowed() -> None:
    """Two equal frames are named, so that one can be made again."""
    image = board(3, 1)
    image.paste(image.crop((0, 0, 8, 6)), (16, 0))
    with pytest.raises(SpecError, match="cells 0 and 2 of the board are identical"):
        applied(image, columns=3, cell=0)
    assert applied(image, columns=3, cell=0, allow_twins=True).size == (8, 6)
    assert applied(image, columns=3, cell=1).size == (8, 6)


def test_a_cell_beyond_the_board_is_refused() -> None:
    """The message names the last cell."""
    with pytest.raises(TableError, match="the last one is 5"):
        OP.model_validate({"columns": 6, "cell": 6})


def test_the_noise_of_a_render_is_no_frame() -> None:
    """A flat background that came out a little uneven is still an empty cell."""
    image = board(2, 1)
    image.paste((10, 240, 12), (8, 0, 16, 6))
    image.putpixel((10, 2), (18, 232, 14))
    with pytest.raises(SpecError, match="cell 1 of the board is empty"):
        applied(image, columns=2, cell=1)
    image.putpixel((10, 2), (60, 232, 14))
    assert applied(image, columns=2, cell=1).size == (8, 6)


def test_without_a_cell_every_cell_is_a_file() -> None:
    """The operation says how many files there are; it takes one cell at a time itself."""
    every = OP.model_validate({"columns": 3, "rows": 2})
    assert (OP.spread, every.spread_values()) == ("cell", 6)
    with pytest.raises(SpecError, match="which `cell`"):
        every.apply(board(3, 2), [])


def test_a_board_has_a_sane_number_of_cells() -> None:
    """Nobody asks for 65,536 files by mistake."""
    with pytest.raises(TableError, match="at most 4,096 cells"):
        OP.model_validate({"columns": 256, "rows": 256})
