"""`slice`: take one cell out of a board of cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from PIL import Image
from pydantic import Field, model_validator

from flux2build.errors import Problem, SpecError
from flux2build.op import Op, Params

_NOISE: Final = 12
"""Levels within which all pixels of an empty cell lie."""

_MOST_CELLS: Final = 4096


class SliceParams(Params):
    """The board's grid, and which of its cells to take."""

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

    @model_validator(mode="after")
    def _inside(self) -> SliceParams:
        if self.columns * self.rows > _MOST_CELLS:
            raise ValueError(f"a board has at most {_MOST_CELLS:,} cells")
        if self.cell is not None and self.cell >= self.columns * self.rows:
            last = self.columns * self.rows - 1
            raise ValueError(f"there is no cell {self.cell}; the last one is {last}")
        return self

    @property
    def each(self) -> tuple[str, int] | None:
        """Without a cell, every cell is a file."""
        return ("cell", self.columns * self.rows) if self.cell is None else None


class Slice:
    """Cut one frame out of a board, and refuse boards that are not what was declared."""

    name = "slice"
    version = 1
    params = SliceParams

    def apply(
        self, image: Image.Image, params: SliceParams, _inputs: Sequence[bytes]
    ) -> Image.Image:
        """The pixels of the cell."""
        if params.cell is None:  # the spec has put one in for each file
            raise SpecError(Problem("`slice` gives one cell at a time: which `cell`?"))
        self._refuse_other_grids(image, params)
        cells = list(self._boxes(image, params))
        taken = image.crop(cells[params.cell])
        if not params.allow_empty and self._is_empty(taken):
            raise SpecError(
                Problem(
                    f"cell {params.cell} of the board is empty",
                    hint="make the board again, or set `allow_empty = true`",
                )
            )
        if not params.allow_twins:
            self._refuse_twins(image, cells, params.cell)
        return taken

    @staticmethod
    def _boxes(image: Image.Image, params: SliceParams) -> Iterator[tuple[int, int, int, int]]:
        width = (image.width - 2 * params.margin + params.gap) // params.columns - params.gap
        height = (image.height - 2 * params.margin + params.gap) // params.rows - params.gap
        for row in range(params.rows):
            top = params.margin + row * (height + params.gap)
            for column in range(params.columns):
                left = params.margin + column * (width + params.gap)
                yield left, top, left + width, top + height

    @staticmethod
    def _refuse_other_grids(image: Image.Image, params: SliceParams) -> None:
        """A board has the declared grid when its cells are whole pixels."""
        for word, length, count in (
            ("columns", image.width, params.columns),
            ("rows", image.height, params.rows),
        ):
            room = length - 2 * params.margin - (count - 1) * params.gap
            if room < count or room % count:
                raise SpecError(
                    Problem(
                        f"a board of {image.width}x{image.height} pixels has no {count} equal "
                        f"{word}",
                        rows=(("margin", str(params.margin)), ("gap", str(params.gap))),
                        hint="declare the grid that the board has, or resize the board first",
                    )
                )

    @staticmethod
    def _is_empty(cell: Image.Image) -> bool:
        """Whether nobody would see anything in it; renders and codecs leave some noise."""
        if cell.mode == "RGBA" and max(cell.getchannel("A").tobytes()) <= _NOISE:
            return True
        ranges = [band.getextrema() for band in cell.split()]
        return all(float(high) - float(low) <= _NOISE for low, high in ranges)  # type: ignore[arg-type]  # pairs

    @staticmethod
    def _refuse_twins(
        image: Image.Image, cells: Sequence[tuple[int, int, int, int]], index: int
    ) -> None:
        pixels = image.crop(cells[index]).tobytes()
        for other, box in enumerate(cells):
            if other != index and image.crop(box).tobytes() == pixels:
                raise SpecError(
                    Problem(
                        f"cells {index} and {other} of the board are identical",
                        hint="make the board again, or set `allow_twins = true`",
                    )
                )


OP: Final[Op] = Slice()
