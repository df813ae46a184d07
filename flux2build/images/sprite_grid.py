"""Sprite grids: pictures (boards) of equal cells in rows and columns, such as poses or tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from PIL import Image

from flux2build.errors import SpecError

Box = tuple[int, int, int, int]
"""Left, top, right and bottom."""

_NOISE: Final = 12
"""Most levels between the pixels of an empty cell: renders and codecs leave some noise."""


class SpriteGrid(Struct, frozen=True):
    """How a picture is divided into cells; lengths in pixels."""

    columns: int
    rows: int
    gap: int = 0
    margin: int = 0

    def boxes(self, size: tuple[int, int]) -> list[Box]:
        """The boxes of the cells of a picture of some size, in reading order.

        Raises:
            SpecError: the picture does not have this grid: its cells would not be whole pixels.
        """
        width = self._cell(size, "columns", size[0], self.columns)
        height = self._cell(size, "rows", size[1], self.rows)
        tops = [self.margin + row * (height + self.gap) for row in range(self.rows)]
        lefts = [self.margin + column * (width + self.gap) for column in range(self.columns)]
        return [(left, top, left + width, top + height) for top in tops for left in lefts]

    def _cell(self, size: tuple[int, int], word: str, length: int, count: int) -> int:
        room = length - 2 * self.margin - (count - 1) * self.gap
        if room < count or room % count:
            raise SpecError(
                f"a board of {size[0]}x{size[1]} pixels has no {count} equal {word}",
                rows=(("margin", str(self.margin)), ("gap", str(self.gap))),
                hint="declare the grid that the board has, or resize the board first",
            )
        return room // count


def refuse_empty(cell: Image.Image, index: int) -> None:
    """Refuse a cell in which nothing is visible.

    Raises:
        SpecError: all of it is transparent, or of one colour.
    """
    ranges = [band.getextrema() for band in cell.split()]
    alike = all(float(high) - float(low) <= _NOISE for low, high in ranges)  # type: ignore[arg-type]  # pairs
    clear = cell.mode == "RGBA" and max(cell.getchannel("A").tobytes()) <= _NOISE
    if alike or clear:
        hint = "make the board again, or set `allow_empty = true`"
        raise SpecError(f"cell {index} of the board is empty", hint=hint)


def refuse_twins(image: Image.Image, boxes: Sequence[Box], index: int) -> None:
    """Refuse a cell with the same pixels as another one: an animation would stand still.

    Raises:
        SpecError: there is such a cell, which the message names.
    """
    pixels = image.crop(boxes[index]).tobytes()
    for other, box in enumerate(boxes):
        if other != index and image.crop(box).tobytes() == pixels:
            hint = "make the board again, or set `allow_twins = true`"
            raise SpecError(f"cells {index} and {other} of the board are identical", hint=hint)
