"""`cutout`: the figure without its background, found by a neural network."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageFilter

from flux2build.images.alpha import faded
from flux2build.images.ops.contract import Model, Network, NetworkOp, Op
from flux2build.tables.table import Field


class Cutout(NetworkOp):
    """The figure on a transparent ground; a matting model says how much of a pixel is figure."""

    name = "cutout"
    extra = "cutout"
    library = "onnxruntime"
    synonyms = ("matting", "rembg", "remove-background", "segment")
    keeps_cells = True

    model: Model = Field(description="a name in `[local.cutout]` of the user's configuration")
    feather: float = Field(
        default=0, ge=0, le=100, description="by how many pixels the edge is softened"
    )

    def drawn(self, image: Image.Image, network: Network) -> Image.Image:
        """The picture with less alpha; what was transparent stays so."""
        opaque = Image.new("RGB", image.size, "white")
        opaque.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
        mask = network(opaque)
        if mask.size != image.size:
            mask = mask.resize(image.size, Image.Resampling.BICUBIC)
        if self.feather:
            mask = mask.filter(ImageFilter.GaussianBlur(self.feather / 2))
        return faded(image, mask)


OP: Final[type[Op]] = Cutout
