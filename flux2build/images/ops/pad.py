"""`pad`: room around the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from flux2build.errors import SpecError
from flux2build.images.colour.notation import Colour, rgba
from flux2build.images.geometry import Anchor, Ratio, Size, offset, shape, share
from flux2build.images.limits import refuse_excess
from flux2build.images.ops.contract import Canvas, Inputs, Op
from flux2build.tables.table import Field, rule

if TYPE_CHECKING:
    from PIL import Image

Border = Annotated[int, Field(ge=0, le=8192)]


class Pad(Op):
    """Put the picture on a larger canvas; nothing of it is scaled or cut."""

    name = "pad"
    synonyms = ("border", "extend")

    width: int | None = Field(default=None, ge=1, le=16384, description="width of the canvas")
    height: int | None = Field(default=None, ge=1, le=16384, description="height of the canvas")
    ratio: Ratio | None = Field(
        default=None, description='the smallest canvas with this shape: `"1:1"`'
    )
    border: Border | None = Field(default=None, description="pixels to add on each side")
    anchor: Anchor = Field(default="center", description="where the picture lies on the canvas")
    color: Colour = Field(default="#00000000", description="colour of the canvas")

    @rule
    def _combines(self) -> None:
        sized = self.width is not None or self.height is not None
        if sum([sized, self.ratio is not None, self.border is not None]) != 1:
            raise ValueError("give one of `width` and `height`, `ratio`, or `border`")

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """The larger canvas, with everything moved inwards."""
        del inputs
        if canvas is None:
            return None
        size = self._canvas(canvas.size)
        return canvas.moved(size, offset(size, canvas.size, share(self.anchor)))

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The canvas with the picture on it; opaque where its colour and the picture are."""
        size = self._canvas(image.size)
        from PIL import Image

        canvas = Image.new("RGBA", size, rgba(self.color))
        canvas.alpha_composite(image.convert("RGBA"), offset(size, image.size, share(self.anchor)))
        opaque = image.mode == "RGB" and rgba(self.color)[3] == 255
        return canvas.convert("RGB") if opaque else canvas

    def _canvas(self, picture: Size) -> Size:
        """The size of the canvas.

        Raises:
            SpecError: the picture does not fit on it, or it is too large to make.
        """
        size = self._asked(picture)
        if size[0] < picture[0] or size[1] < picture[1]:
            raise SpecError(
                f"a canvas of {size[0]}x{size[1]} is too small for a picture of "
                f"{picture[0]}x{picture[1]} pixels",
                hint="use a larger canvas, or `resize` before `pad`",
            )
        refuse_excess(*size)
        return size

    def _asked(self, size: Size) -> Size:
        width, height = size
        if self.border is not None:
            return width + 2 * self.border, height + 2 * self.border
        if self.ratio is None:
            return self.width or width, self.height or height
        ratio = shape(self.ratio)
        if width / height < ratio:
            return max(width, round(height * ratio)), height
        return width, max(height, round(width / ratio))


OP: Final[type[Op]] = Pad
