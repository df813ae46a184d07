"""`resize`: other dimensions for the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from flux2build.errors import SpecError
from flux2build.images.geometry import Anchor, Size, offset, share
from flux2build.images.limits import refuse_excess
from flux2build.images.ops.contract import Canvas, Inputs, Op
from flux2build.tables.table import Field, rule

if TYPE_CHECKING:
    from PIL import Image


class Resize(Op):
    """Scale the picture with Lanczos filtering; never up unless asked."""

    name = "resize"
    version = 2
    synonyms = ("scale", "thumbnail")

    width: int | None = Field(default=None, ge=1, le=16384, description="width in pixels")
    height: int | None = Field(default=None, ge=1, le=16384, description="height in pixels")
    mode: Literal["fit", "fill", "exact"] | None = Field(
        default=None,
        description="with both sides: `fit` keeps the shape inside them, `fill` covers them and "
        "cuts what is over, `exact` distorts; `fit` when not given",
    )
    anchor: Anchor | None = Field(
        default=None, description="with `fill`: which part is kept; `center` when not given"
    )
    upscale: bool = Field(default=False, description="allow more pixels than there are")

    @rule
    def _combines(self) -> None:
        if self.width is None and self.height is None:
            raise ValueError("give `width`, `height` or both")
        if self.mode in {"fill", "exact"} and (self.width is None or self.height is None):
            raise ValueError(f'`mode = "{self.mode}"` needs both `width` and `height`')
        if self.anchor and self.mode != "fill":
            raise ValueError('`anchor` goes with `mode = "fill"`')

    def sides(self) -> dict[str, int]:
        """The sides in the parameters, unless the picture is only fitted into both."""
        lengths = {"width": self.width, "height": self.height}
        sides = {side: length for side, length in lengths.items() if length is not None}
        return sides if len(sides) == 1 or self.mode in {"exact", "fill"} else {}

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """The scaled canvas, or the part of it that `fill` leaves."""
        del inputs
        if canvas is None:
            return None
        size = self._scaled(canvas.size)
        left, top, width, height = self._part(size)
        scale = size[0] / canvas.size[0], size[1] / canvas.size[1]
        return canvas.moved((width, height), (-left, -top), scale)

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The scaled picture; colours are weighed by alpha, so edges keep theirs."""
        size = self._scaled(image.size)
        if size != image.size:
            from flux2build.images.alpha import scaled

            image = scaled(image, *size)
        left, top, width, height = self._part(size)
        return image.crop((left, top, left + width, top + height)) if self.mode == "fill" else image

    def _part(self, size: Size) -> tuple[int, int, int, int]:
        """Left, top, width and height of what is kept of the scaled picture."""
        if self.mode != "fill":
            return 0, 0, *size
        part = self.width or 1, self.height or 1
        return *offset(size, part, share(self.anchor or "center")), *part

    def _scaled(self, size: Size) -> Size:
        """The size of the whole picture after scaling, before `fill` cuts it.

        Raises:
            SpecError: it would be larger than the picture, or too large to make.
        """
        wide, high = self._whole(size)
        if not self.upscale and (wide > size[0] or high > size[1]):
            raise SpecError(
                f"{size[0]}x{size[1]} pixels are too few for {wide}x{high}",
                rows=(("needed", f"a picture {wide} pixels wide, {high} high"),),
                hint=f"render it at least {wide} wide, or set `upscale = true`",
            )
        refuse_excess(wide, high)
        return wide, high

    def _whole(self, size: Size) -> Size:
        if self.mode == "exact":
            return self.width or size[0], self.height or size[1]
        pairs = ((self.width, size[0]), (self.height, size[1]))
        factors = [(target, current) for target, current in pairs if target]
        choose = max if self.mode == "fill" else min
        target, current = choose(factors, key=lambda factor: factor[0] / factor[1])
        return _times(size[0], target, current), _times(size[1], target, current)


def _times(length: int, numerator: int, denominator: int) -> int:
    """`length * numerator / denominator`, rounded to the nearest, exact in integers, at least 1."""
    return max(1, (2 * length * numerator + denominator) // (2 * denominator))


OP: Final[type[Op]] = Resize
