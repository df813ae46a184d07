"""`upscale`: more pixels than there are, drawn by a neural network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from PIL import Image

from flux2build.images.alpha import solid
from flux2build.images.decode import refuse_excess
from flux2build.images.geometry import Size
from flux2build.images.ops.contract import (
    Canvas,
    Inputs,
    Model,
    Network,
    NetworkOp,
    Op,
)
from flux2build.tables.table import Field

_CORE: Final = 40
"""The side of a tile in pixels; with what is around it, the network for photographs takes 330 MiB."""
_AROUND: Final = 12
"""Pixels around a tile that the network sees, too, so that no seam shows."""

Box = tuple[int, int, int, int]


class Upscale(NetworkOp):
    """Two, three or four times the size, by a network that knows how details look."""

    name = "upscale"
    extra = "upscale"
    library = "ncnn"
    synonyms = ("enlarge", "esrgan", "realesrgan", "super-resolution", "waifu2x")

    model: Model = Field(
        description="`photo`, `art` for what is drawn, or a name in `[local.upscale]` of the user's "
        "configuration",
    )
    scale: int = Field(ge=2, le=4, description="how many times as wide and high")

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """The larger canvas."""
        del inputs
        if canvas is None:
            return None
        wide, high = (side * self.scale for side in canvas.size)
        refuse_excess(wide, high)
        return canvas.moved((wide, high), (0, 0), (self.scale, self.scale))

    def drawn(self, image: Image.Image, network: Network) -> Image.Image:
        """The larger picture; its alpha is scaled apart, so that it stays as solid as it was."""
        width, height = (side * self.scale for side in image.size)
        refuse_excess(width, height)
        result = Image.new(image.mode, (width, height))
        colours = solid(image, _AROUND)
        for left, top, right, bottom in _tiles(image.size):
            seen = max(0, left - _AROUND), max(0, top - _AROUND)
            edges = min(image.width, right + _AROUND), min(image.height, bottom + _AROUND)
            around = colours.crop((*seen, *edges))
            larger = _sized(network(around), around.size, self.scale)
            inner = (left - seen[0], top - seen[1], right - seen[0], bottom - seen[1])
            at = left * self.scale, top * self.scale
            result.paste(larger.crop(_times(inner, self.scale)), at)
        if image.mode == "RGBA":
            alpha = image.getchannel("A")
            result.putalpha(alpha.resize((width, height), Image.Resampling.LANCZOS))
        return result


def _tiles(size: Size) -> Iterator[Box]:
    for top in range(0, size[1], _CORE):
        for left in range(0, size[0], _CORE):
            yield left, top, min(size[0], left + _CORE), min(size[1], top + _CORE)


def _sized(larger: Image.Image, size: Size, scale: int) -> Image.Image:
    """What a network has made of a tile, at the scale that is asked for and not its own."""
    wanted = size[0] * scale, size[1] * scale
    if larger.size == wanted:
        return larger
    return larger.resize(wanted, Image.Resampling.LANCZOS)


def _times(box: Box, scale: int) -> Box:
    left, top, right, bottom = box
    return left * scale, top * scale, right * scale, bottom * scale


OP: Final[type[Op]] = Upscale
