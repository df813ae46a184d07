"""`overlay`: lay another picture over this one, such as a logo or a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from PIL import Image, ImageChops

from flux2build.errors import SpecError
from flux2build.images.alpha import faded, scaled
from flux2build.images.geometry import Anchor, Size, offset, share
from flux2build.images.limits import refuse_excess
from flux2build.images.ops.contract import Inputs, Op, Picture
from flux2build.images.ops.inputs import picture
from flux2build.tables.table import Field, rule

_BLENDS: Final[dict[str, Callable[[Image.Image, Image.Image], Image.Image]]] = {
    "darken": ImageChops.darker,
    "hard-light": ImageChops.hard_light,
    "lighten": ImageChops.lighter,
    "multiply": ImageChops.multiply,
    "overlay": ImageChops.overlay,
    "screen": ImageChops.screen,
    "soft-light": ImageChops.soft_light,
}


class Overlay(Op):
    """Lay a logo, a frame or a texture over the picture."""

    name = "overlay"
    version = 2
    synonyms = ("composite", "paste", "watermark")

    source: Picture
    anchor: Anchor = Field(default="center", description="where it lies")
    scale: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="its width as a share of the picture's; its own width when not given",
    )
    stretch: bool = Field(
        default=False, description="cover the whole picture with it, as a frame does"
    )
    margin: int = Field(
        default=0, ge=0, le=8192, description="pixels to keep free between it and the edges"
    )
    safe: float | None = Field(
        default=None,
        gt=0,
        lt=0.5,
        description="instead of `margin`: the free share of the picture's shorter side",
    )
    opacity: float = Field(default=1, gt=0, le=1, description="0 is invisible, 1 is as it is")
    blend: Literal[
        "normal", "multiply", "screen", "overlay", "darken", "lighten", "soft-light", "hard-light"
    ] = Field(default="normal", description="how its colours mix with those below")
    upscale: bool = Field(default=False, description="allow more pixels than it has")

    @rule
    def _combines(self) -> None:
        if self.safe is not None and self.margin:
            raise ValueError("`margin` and `safe` exclude each other")
        if self.stretch and (self.scale is not None or self.margin or self.safe):
            raise ValueError("`stretch` covers everything; drop `scale`, `margin` and `safe`")

    def apply(self, image: Image.Image, inputs: Inputs) -> Image.Image:
        """Both pictures as one, in the mode of the lower one."""
        layer = self._sized(picture(self.source, inputs).convert("RGBA"), image.size)
        margin = self.margin if self.safe is None else round(min(image.size) * self.safe)
        room = (image.width - 2 * margin, image.height - 2 * margin)
        self._refuse_excess(layer.size, room)
        left, top = offset(room, layer.size, share(self.anchor))
        if self.opacity < 1:
            layer = faded(layer, Image.new("L", layer.size, round(255 * self.opacity)))
        return self._laid(image, layer, (left + margin, top + margin), self.blend)

    def _sized(self, layer: Image.Image, size: Size) -> Image.Image:
        target = size if self.stretch else layer.size
        if self.scale is not None:
            width = max(1, round(size[0] * self.scale))
            target = width, max(1, round(layer.height * width / layer.width))
        grows = target[0] > layer.width or target[1] > layer.height
        if grows and not self.upscale:
            raise SpecError(
                f"the overlay has {layer.width}x{layer.height} pixels, too few for "
                f"{target[0]}x{target[1]}",
                hint="use a larger picture, or set `upscale = true`",
            )
        if target == layer.size:
            return layer
        refuse_excess(*target)
        return scaled(layer, *target)

    @staticmethod
    def _refuse_excess(size: Size, room: Size) -> None:
        if size[0] > room[0] or size[1] > room[1]:
            raise SpecError(
                f"an overlay of {size[0]}x{size[1]} pixels is too large",
                rows=(("room", f"{max(0, room[0])}x{max(0, room[1])} inside the margin"),),
                hint="set a smaller `scale`, or a smaller margin",
            )

    @staticmethod
    def _laid(image: Image.Image, layer: Image.Image, at: Size, blend: str) -> Image.Image:
        base = image.convert("RGBA")
        if blend in _BLENDS:
            below = base.crop((*at, at[0] + layer.width, at[1] + layer.height))
            mixed = _BLENDS[blend](below.convert("RGB"), layer.convert("RGB"))
            # Colours mix where there is something below; elsewhere the layer shows as it is.
            colours = Image.composite(mixed, layer.convert("RGB"), below.getchannel("A"))
            colours.putalpha(layer.getchannel("A"))
            layer = colours
        base.alpha_composite(layer, at)
        return base.convert(image.mode)


OP: Final[type[Op]] = Overlay
