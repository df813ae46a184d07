"""`upscale`: more pixels than there are, drawn by a neural network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from PIL import Image, ImageFilter

from flux2build.images.geometry import Size
from flux2build.images.limits import refuse_excess
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

_REACHES: Final = (12, 4, 1.5)
"""How far colours are carried into transparent parts, from far to near."""
_FAINT: Final = 16

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

    def parts(self, image: Image.Image) -> int:
        """How many tiles a picture has."""
        return sum(1 for _ in _tiles(image.size))

    def sketched(self, image: Image.Image) -> Image.Image:
        """The sketch at the size that the picture will have."""
        return image.resize((image.width * self.scale, image.height * self.scale))

    def drawn(self, image: Image.Image, network: Network) -> Image.Image:
        """The larger picture; its alpha is scaled separately, so that it stays as solid."""
        width, height = (side * self.scale for side in image.size)
        refuse_excess(width, height)
        result = Image.new(image.mode, (width, height))
        framed = _framed(_opaque(image))
        for left, top, right, bottom in _tiles(image.size):
            part = framed.crop((left, top, right + 2 * _AROUND, bottom + 2 * _AROUND))
            larger = _sized(network(part), part.size, self.scale)
            margin, at = _AROUND * self.scale, (left * self.scale, top * self.scale)
            inner = (margin, margin, larger.width - margin, larger.height - margin)
            result.paste(larger.crop(inner), at)
        if image.mode == "RGBA":
            alpha = image.getchannel("A")
            result.putalpha(
                alpha.resize((width, height), Image.Resampling.BICUBIC)
            )  # without rings
        return result


def _opaque(image: Image.Image) -> Image.Image:
    """The colours of a picture, where transparent pixels have those of what is nearest to them.

    They are usually stored as black, which would creep into the edges.
    """
    colours = image.convert("RGB")
    if image.mode != "RGBA":
        return colours
    weighed, result = image.convert("RGBa"), Image.new("RGB", image.size)
    for reach in _REACHES:
        near = weighed.filter(ImageFilter.GaussianBlur(reach)).convert("RGBA")
        result.paste(near.convert("RGB"), mask=_visible(near))
    result.paste(colours, mask=_visible(image))
    return result


def _visible(image: Image.Image) -> Image.Image:
    """Where a picture is solid enough for its colours to be certain."""
    return image.getchannel("A").point([0] * _FAINT + [255] * (256 - _FAINT))


def _framed(image: Image.Image) -> Image.Image:
    """The picture in a frame of its outermost pixels: networks see black beyond an edge."""
    wide, high = (side + 2 * _AROUND for side in image.size)
    framed = Image.new(image.mode, (wide, high))
    framed.paste(image, (_AROUND, _AROUND))
    for at, edge in ((0, _AROUND), (wide - _AROUND, wide - _AROUND - 1)):
        column = framed.crop((edge, 0, edge + 1, high))
        framed.paste(column.resize((_AROUND, high)), (at, 0))
    for at, edge in ((0, _AROUND), (high - _AROUND, high - _AROUND - 1)):
        row = framed.crop((0, edge, wide, edge + 1))
        framed.paste(row.resize((wide, _AROUND)), (0, at))
    return framed


def _tiles(size: Size) -> Iterator[Box]:
    for top in range(0, size[1], _CORE):
        for left in range(0, size[0], _CORE):
            yield left, top, min(size[0], left + _CORE), min(size[1], top + _CORE)


def _sized(larger: Image.Image, size: Size, scale: int) -> Image.Image:
    """A network's tile, resized from the network's scale to that of the parameters."""
    target = size[0] * scale, size[1] * scale
    if larger.size == target:
        return larger
    return larger.resize(target, Image.Resampling.LANCZOS)


OP: Final[type[Op]] = Upscale
