"""`resize`: other dimensions for the same picture."""

from __future__ import annotations

from typing import Final, Literal

from PIL import Image
from pydantic import Field, model_validator

from flux2build.errors import SpecError
from flux2build.images.alpha import scaled
from flux2build.images.decode import refuse_excess
from flux2build.images.geometry import Anchor, Size, offset, share
from flux2build.images.ops.contract import Inputs, Op


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

    @model_validator(mode="after")
    def _combines(self) -> Resize:
        if self.width is None and self.height is None:
            raise ValueError("give `width`, `height` or both")
        if self.mode in {"fill", "exact"} and (self.width is None or self.height is None):
            raise ValueError(f'`mode = "{self.mode}"` needs both `width` and `height`')
        if self.anchor and self.mode != "fill":
            raise ValueError('`anchor` goes with `mode = "fill"`')
        return self

    def sides(self) -> dict[str, int]:
        """What was asked for, unless the picture is only fitted into both sides."""
        asked = {"width": self.width, "height": self.height}
        sides = {side: length for side, length in asked.items() if length is not None}
        return sides if len(sides) == 1 or self.mode in {"exact", "fill"} else {}

    def apply(self, image: Image.Image, _inputs: Inputs) -> Image.Image:
        """The scaled picture; colours are weighed by alpha, so edges keep theirs."""
        size = self._scaled(image.size)
        if not self.upscale and (size[0] > image.width or size[1] > image.height):
            raise SpecError(
                f"{image.width}x{image.height} pixels are too few for {size[0]}x{size[1]}",
                rows=(("needed", f"a picture {size[0]} pixels wide, {size[1]} high"),),
                hint=f"render it at least {size[0]} wide, or set `upscale = true`",
            )
        refuse_excess(*size)
        if size != image.size:
            image = scaled(image, *size)
        if self.mode != "fill":
            return image
        width, height = self.width or 1, self.height or 1
        left, top = offset(image.size, (width, height), share(self.anchor or "center"))
        return image.crop((left, top, left + width, top + height))

    def _scaled(self, size: Size) -> Size:
        """The size of the whole picture after scaling, before `fill` cuts it."""
        if self.mode == "exact":
            return self.width or size[0], self.height or size[1]
        pairs = ((self.width, size[0]), (self.height, size[1]))
        factors = [(wanted, have) for wanted, have in pairs if wanted]
        choose = max if self.mode == "fill" else min
        wanted, have = choose(factors, key=lambda factor: factor[0] / factor[1])
        return _times(size[0], wanted, have), _times(size[1], wanted, have)


def _times(length: int, wanted: int, have: int) -> int:
    """`length * wanted / have`, rounded to the nearest, exact in integers, at least 1."""
    return max(1, (2 * length * wanted + have) // (2 * have))


OP: Final[type[Op]] = Resize
