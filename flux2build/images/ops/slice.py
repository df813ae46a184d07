"""`slice`: take one cell out of a board of cells."""

from __future__ import annotations

from typing import Final

from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.ops.contract import Canvas, Inputs, Op
from flux2build.images.sprite_grid import SpriteGrid, refuse_empty, refuse_twins
from flux2build.tables.table import Field, rule

_MOST_CELLS: Final = 4096


class Slice(Op):
    """Cut one frame out of a board, and refuse boards that are not what was declared."""

    name = "slice"
    synonyms = ("split", "tile")
    spread = "cell"
    board_by = "columns"

    columns: int = Field(ge=1, le=256, description="cells in a row")
    rows: int = Field(default=1, ge=1, le=256, description="cells in a column")
    cell: int | None = Field(
        default=None,
        ge=0,
        description="which cell, in reading order, counted from 0; one file for each, with "
        "`{{ cell }}` in its path, when not given",
    )
    gap: int = Field(default=0, ge=0, le=4096, description="pixels between cells")
    margin: int = Field(default=0, ge=0, le=4096, description="pixels around all cells")
    allow_empty: bool = Field(default=False, description="accept a cell in which nothing is")
    allow_twins: bool = Field(
        default=False, description="accept a cell with the same pixels as another one"
    )

    @rule
    def _inside(self) -> None:
        if self.columns * self.rows > _MOST_CELLS:
            raise ValueError(f"a board has at most {_MOST_CELLS:,} cells")
        if self.cell is not None and self.cell >= self.columns * self.rows:
            last = self.columns * self.rows - 1
            raise ValueError(f"there is no cell {self.cell}; the last one is {last}")

    def spread_values(self) -> int:
        """The number of cells."""
        return self.columns * self.rows

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """A canvas of the size of one cell; its content is unknown."""
        del inputs
        if canvas is None or self.cell is None:
            return None
        board = SpriteGrid(self.columns, self.rows, self.gap, self.margin)
        left, top, right, bottom = board.boxes(canvas.size)[self.cell]
        return Canvas((right - left, bottom - top))

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The pixels of the cell."""
        if self.cell is None:  # the spec sets it for each file
            raise SpecError("`slice` gives one cell at a time: which `cell`?")
        board = SpriteGrid(self.columns, self.rows, self.gap, self.margin)
        cells = board.boxes(image.size)
        cell = image.crop(cells[self.cell])
        if not self.allow_empty:
            refuse_empty(cell, self.cell)
        if not self.allow_twins:
            refuse_twins(image, cells, self.cell)
        return cell


OP: Final[type[Op]] = Slice
