"""`align`: put the figure in each cell of a board onto one point, as animations need."""

from __future__ import annotations

from typing import Final

from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.geometry import Anchor, Size, offset, share
from flux2build.images.ops.contract import Inputs, Op, Pivot
from flux2build.images.sprite_grid import SpriteGrid
from flux2build.tables.table import Field

_VISIBLE: Final = 26
"""Least opacity, of 255, of a pixel that counts: haze around a figure does not move it."""


class Align(Op):
    """Move the figure in each cell to the same place; nothing is scaled or cut."""

    name = "align"
    keeps_cells = True

    columns: int = Field(default=1, ge=1, le=256, description="cells in a row")
    rows: int = Field(default=1, ge=1, le=256, description="cells in a column")
    padding: int = Field(
        default=0, ge=0, le=1024, description="pixels between and around cells, as `grid` leaves"
    )
    pivot: Anchor = Field(
        default="bottom",
        description="the point of a figure that is put on that of its cell: `bottom` lets all "
        "stand on one line",
    )
    inset: int = Field(
        default=0, ge=0, le=1024, description="pixels to keep free at the edges of a cell"
    )

    def figure_point(self) -> Pivot:
        """The point on which the figures stand."""
        return Pivot(self.pivot, self.inset)

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The board with its figures in place; the pixels around them must be transparent."""
        if image.mode != "RGBA":
            raise SpecError(
                "nothing around the figures is transparent",
                hint='make it so first: `{ op = "key", color = "#00ff00" }`',
            )
        board = SpriteGrid(self.columns, self.rows, self.padding, self.padding)
        aligned = Image.new("RGBA", image.size)
        for index, box in enumerate(board.boxes(image.size)):
            cell = image.crop(box)
            visible = cell.getchannel("A").point(lambda alpha: 255 if alpha >= _VISIBLE else 0)
            figure = visible.getbbox()
            if figure is None:
                continue
            room = (cell.width - 2 * self.inset, cell.height - 2 * self.inset)
            size = (figure[2] - figure[0], figure[3] - figure[1])
            if size[0] > room[0] or size[1] > room[1]:
                raise self._excess(index, size, cell.size)
            left, top = offset(room, size, share(self.pivot))
            move = (left + self.inset - figure[0], top + self.inset - figure[1])
            placed = Image.new("RGBA", cell.size)
            placed.paste(cell, move)
            aligned.paste(placed, box)
        return aligned

    def _excess(self, index: int, size: Size, cell: Size) -> SpecError:
        """The error about a figure that may have been cut off at its cell's edge."""
        return SpecError(
            f"the figure in cell {index} is {size[0]}x{size[1]} pixels, too large for its cell",
            rows=(("cell", f"{cell[0]}x{cell[1]}"), ("inset", str(self.inset))),
            hint="set a smaller `inset`, or make the board again with smaller figures",
        )


OP: Final[type[Op]] = Align
