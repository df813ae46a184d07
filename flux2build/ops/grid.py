"""`grid`: lay several pictures out in cells, as a contact sheet or a sprite atlas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from PIL import Image
from pydantic import Field

from flux2build.alpha import scaled
from flux2build.anchor import Anchor, Size, offset, share
from flux2build.colour import Colour, rgba
from flux2build.inputs import picture
from flux2build.op import Op, Params, Picture
from flux2build.picture import refuse_excess

Side = Annotated[int, Field(ge=1, le=8192)]


class GridParams(Params):
    """Which pictures, in how many columns, and how each lies in its cell."""

    sources: Annotated[list[Picture], Field(min_length=1, max_length=1024)] = Field(
        description="the pictures beside the first, in reading order"
    )
    first: bool = Field(
        default=True, description="give the picture that the operation works on the first cell"
    )
    columns: int = Field(ge=1, le=1024, description="cells in a row")
    cell: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        description="width and height of a cell; those of the largest picture when not given",
    )
    padding: int = Field(default=0, ge=0, le=1024, description="pixels between and around cells")
    pivot: Anchor = Field(
        default="center", description="the point of a picture that lies on that of its cell"
    )
    color: Colour = Field(default="#00000000", description="colour between and behind pictures")


class Grid:
    """Compose pictures into rows and columns; larger ones are scaled down to their cell."""

    name = "grid"
    version = 2
    params = GridParams

    def apply(self, image: Image.Image, params: GridParams, inputs: Sequence[bytes]) -> Image.Image:
        """The sheet; it has alpha unless its colour is opaque."""
        pictures = [image] if params.first else []
        pictures += [picture(source, inputs) for source in params.sources]
        cell = self._cell(pictures, params)
        sheet = self._sheet(len(pictures), cell, params)
        for index, each in enumerate(pictures):
            row, column = divmod(index, params.columns)
            fitted = self._fitted(each.convert("RGBA"), cell)
            left, top = offset(cell, fitted.size, share(params.pivot))
            left += params.padding + column * (cell[0] + params.padding)
            top += params.padding + row * (cell[1] + params.padding)
            sheet.alpha_composite(fitted, (left, top))
        return sheet.convert("RGB") if rgba(params.color)[3] == 255 else sheet

    @staticmethod
    def _cell(pictures: Sequence[Image.Image], params: GridParams) -> Size:
        if params.cell is not None:
            return params.cell[0], params.cell[1]
        return max(each.width for each in pictures), max(each.height for each in pictures)

    @staticmethod
    def _sheet(count: int, cell: Size, params: GridParams) -> Image.Image:
        columns = min(count, params.columns)
        rows = -(-count // params.columns)
        width = columns * (cell[0] + params.padding) + params.padding
        height = rows * (cell[1] + params.padding) + params.padding
        refuse_excess(width, height)
        return Image.new("RGBA", (width, height), rgba(params.color))

    @staticmethod
    def _fitted(image: Image.Image, cell: Size) -> Image.Image:
        factor = min(1, cell[0] / image.width, cell[1] / image.height)
        if factor == 1:
            return image
        width, height = round(image.width * factor), round(image.height * factor)
        return scaled(image, max(1, width), max(1, height))


OP: Final[Op] = Grid()
