"""`crop`: cut a part out of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from flux2build.errors import SpecError
from flux2build.images.geometry import Anchor, Ratio, Size, offset, shape, share
from flux2build.images.ops.contract import Canvas, Inputs, Op
from flux2build.tables.table import Field, rule

if TYPE_CHECKING:
    from PIL import Image

Part = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(ge=0)]


def largest(size: Size, ratio: float) -> Size:
    """The largest size of a shape that fits into `size`, at least one pixel each way."""
    width, height = size
    if width / height > ratio:
        return max(1, min(width, round(height * ratio))), height
    return width, max(1, min(height, round(width / ratio)))


class Crop(Op):
    """Cut out a part: by shape, by box or by size, around an anchor or a focus point."""

    name = "crop"

    ratio: Ratio | None = Field(
        default=None, description='the largest part with this shape: `"16:9"`'
    )
    box: Annotated[list[Pixels], Field(min_length=4, max_length=4)] | None = Field(
        default=None, description="left, top, width and height in pixels"
    )
    width: int | None = Field(default=None, ge=1, description="width of the part in pixels")
    height: int | None = Field(default=None, ge=1, description="height of the part in pixels")
    anchor: Anchor | None = Field(
        default=None, description="which part is kept; `center` when not given"
    )
    focus: Annotated[list[Part], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        description="the point to keep as central as possible, `[0.5, 0.3]` from left and top",
    )

    @rule
    def _combines(self) -> None:
        sized = self.width is not None or self.height is not None
        ways = [self.ratio is not None, self.box is not None, sized]
        if sum(ways) != 1:
            raise ValueError("give one of `ratio`, `box`, or `width` and `height`")
        if self.anchor and self.focus:
            raise ValueError("`anchor` and `focus` exclude each other")
        if self.box and (self.anchor or self.focus):
            raise ValueError("`box` says where the part lies; drop `anchor` and `focus`")
        if self.box and 0 in self.box[2:]:
            raise ValueError("the width and height of `box` must be at least 1")

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """The part, with the letters in it."""
        del inputs
        if canvas is None:
            return None
        left, top, width, height = self._part(canvas.size)
        return canvas.moved((width, height), (-left, -top))

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The part; never padded: a part that is not inside the picture is an error."""
        left, top, width, height = self._part(image.size)
        return image.crop((left, top, left + width, top + height))

    def _part(self, size: Size) -> tuple[int, int, int, int]:
        """Left, top, width and height of the part of a picture."""
        if self.box:
            left, top, width, height = self.box
        else:
            width, height = self._size(size)
            left, top = self._corner(size, (width, height))
        if left + width > size[0] or top + height > size[1]:
            raise SpecError(
                f"cannot crop {width}x{height} at {left},{top} out of {size[0]}x{size[1]} pixels",
                hint="crop less, or render a larger picture",
            )
        return left, top, width, height

    def _size(self, size: Size) -> Size:
        if self.ratio is not None:
            return largest(size, shape(self.ratio))
        return self.width or size[0], self.height or size[1]

    def _corner(self, outer: Size, inner: Size) -> tuple[int, int]:
        """With a focus, the part is centred on it as far as the picture's edges allow."""
        if self.focus is None:
            return offset(outer, inner, share(self.anchor or "center"))
        left, top = (
            max(0, min(whole - part, round(whole * at - part / 2)))
            for whole, part, at in zip(outer, inner, self.focus, strict=True)
        )
        return left, top


OP: Final[type[Op]] = Crop
