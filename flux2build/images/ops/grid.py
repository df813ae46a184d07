"""`grid`: lay several pictures out in cells, as a contact sheet or a sprite atlas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Annotated, Final

from msgspec.structs import replace
from PIL import Image

from flux2build.errors import SpecError
from flux2build.images.alpha import scaled
from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.geometry import Anchor, Size, offset, share
from flux2build.images.limits import refuse_excess
from flux2build.images.ops.contract import AtlasLayout, Canvas, InputIndex, Inputs, Op, Pictures
from flux2build.images.ops.inputs import picture
from flux2build.images.sprite_grid import Box, SpriteGrid, refuse_empty, refuse_twins
from flux2build.tables.table import Field, rule

Count = Annotated[int, Field(ge=1, le=256)]
Side = Annotated[int, Field(ge=1, le=8192)]


class Grid(Op):
    """Compose pictures into rows and columns; larger ones are scaled down to their cell."""

    name = "grid"
    version = 2
    synonyms = ("atlas", "contact_sheet", "montage", "sheet")
    board_by = "board"

    sources: Annotated[list[Pictures], Field(max_length=1024)] = Field(
        default=[],
        description='the pictures beside the first, in reading order; `{ family = "icon" }` stands for '
        "all of its members",
    )
    first: bool = Field(
        default=True, description="give the picture that the operation works on the first cell"
    )
    columns: int = Field(ge=1, le=1024, description="cells in a row")
    board: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        description="columns and rows of every picture, when each is a board of frames; they are "
        "laid out one by one",
    )
    allow_empty: bool = Field(
        default=False, description="with `board`: accept a frame in which nothing is"
    )
    allow_twins: bool = Field(
        default=False,
        description="with `board`: accept a frame with the same pixels as another of its board",
    )
    cell: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        description="width and height of a cell; those of the largest picture when not given",
    )
    padding: int = Field(default=0, ge=0, le=1024, description="pixels between and around cells")
    pivot: Anchor = Field(
        default="center", description="the point of a picture that lies on that of its cell"
    )
    color: Colour = Field(default="#00000000", description="colour between and behind pictures")

    @rule
    def _combines(self) -> None:
        if not self.sources and not (self.first and self.board):
            raise ValueError("give the other pictures as `sources`")
        if self.board is None and (self.allow_empty or self.allow_twins):
            raise ValueError("`allow_empty` and `allow_twins` are about the frames of a `board`")

    def layout(self) -> AtlasLayout:
        """The frames of the first picture, if it takes part, then those of the sources."""
        sources = (source.input for source in self.sources if isinstance(source, InputIndex))
        inputs = (*((0,) if self.first else ()), *sources)
        return AtlasLayout(inputs, self._cells(), self.columns, self.padding, self.pivot)

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """None: the size of a sheet depends on pictures that may not exist yet."""
        del inputs
        del canvas
        return None

    def apply(self, image: Image.Image, inputs: Inputs) -> Image.Image:
        """The sheet; it has alpha unless its colour is opaque."""
        cell = self._cell(frame.size for frame in self._frames(image, inputs))
        count = (len(self.sources) + self.first) * self._cells()
        columns, rows = min(count, self.columns), -(-count // self.columns)
        width = columns * (cell[0] + self.padding) + self.padding
        height = rows * (cell[1] + self.padding) + self.padding
        refuse_excess(width, height)
        sheet = Image.new("RGBA", (width, height), rgba(self.color))
        boxes = SpriteGrid(columns, rows, self.padding, self.padding).boxes(sheet.size)
        for box, frame in zip(boxes, self._frames(image, inputs), strict=False):
            fitted = self._fitted(frame.convert("RGBA"), cell)
            left, top = offset(cell, fitted.size, share(self.pivot))
            sheet.alpha_composite(fitted, (box[0] + left, box[1] + top))
        return sheet.convert("RGB") if rgba(self.color)[3] == 255 else sheet

    def _frames(self, image: Image.Image, inputs: Inputs) -> Iterator[Image.Image]:
        """The pictures in the cells, decoded one by one: there may be hundreds."""
        first = [image] if self.first else []
        others = (picture(source, inputs) for source in self.sources)
        for number, each in enumerate(chain(first, others), start=1):
            for box in self._boxes(each, number):
                yield each.crop(box)

    def _boxes(self, image: Image.Image, number: int) -> list[Box]:
        """The boxes of a board's frames, or one of the whole picture; `number` is for messages."""
        if self.board is None:
            return [(0, 0, *image.size)]
        try:
            boxes = SpriteGrid(*self.board).boxes(image.size)
            for index, box in enumerate(boxes):
                if not self.allow_empty:
                    refuse_empty(image.crop(box), index)
                if not self.allow_twins:
                    refuse_twins(image, boxes, index)
        except SpecError as error:
            row = ("board", f"{number} of {len(self.sources) + self.first}")
            raise SpecError(*(replace(p, rows=(*p.rows, row)) for p in error.problems)) from None
        return boxes

    def _cells(self) -> int:
        return self.board[0] * self.board[1] if self.board else 1

    def _cell(self, sizes: Iterable[Size]) -> Size:
        if self.cell is not None:
            return self.cell[0], self.cell[1]
        widths, heights = zip(*sizes, strict=True)
        return max(widths), max(heights)

    @staticmethod
    def _fitted(image: Image.Image, cell: Size) -> Image.Image:
        factor = min(1, cell[0] / image.width, cell[1] / image.height)
        if factor == 1:
            return image
        width, height = round(image.width * factor), round(image.height * factor)
        return scaled(image, max(1, width), max(1, height))


OP: Final[type[Op]] = Grid
