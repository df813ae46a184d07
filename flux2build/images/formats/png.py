"""PNG: every pixel exactly, with transparency."""

from __future__ import annotations

import zlib
from typing import Annotated, ClassVar, Final

from flux2build.images.formats import contract, png_file
from flux2build.images.formats.contract import Header, PictureFormat, number
from flux2build.tables.table import Field

PaletteSize = Annotated[int, Field(ge=2, le=256)]


class PngEncoder(contract.ProfiledEncoder):
    """Writes a PNG, which may be reduced to a few colours."""

    codecs: ClassVar = png_file.CODECS
    lacks: ClassVar = {"quality": "it keeps every pixel; see `palette`", "lossless": "it always is"}

    palette: PaletteSize | None = None

    @property
    def keeps_colours(self) -> bool:
        """Whether all colours are written."""
        return self.palette is None

    @property
    def remedy(self) -> str:
        """What to do about a file that is larger than `max_bytes`."""
        return "reduce its colours with `palette`, or deliver webp or jpeg"

    def write(self, image: contract.Pixels, metadata: contract.Metadata) -> bytes:
        """The file."""
        reduced = image if self.palette is None else _quantized(image, self.palette)
        return png_file.written(reduced, metadata)


def _header(data: bytes) -> Header:
    width, height = number(data, 16, 4), number(data, 20, 4)
    frames, damaged = 1, ""
    for kind, start, stop in png_file.chunks(data):
        if kind == b"acTL":
            frames = number(data, start, 4)
        if not damaged and zlib.crc32(data[start - 4 : stop]) != number(data, stop, 4):
            damaged = f"its {kind.decode('ascii', 'replace')} chunk is damaged"
        if kind == b"IEND":
            return Header("png", width, height, frames, damaged or None, stop + 4)
    return Header("png", width, height, frames, damaged or "it has no end chunk")


def _c2pa(data: bytes) -> bytes:
    stores = (data[start:stop] for kind, start, stop in png_file.chunks(data) if kind == b"caBX")
    return next(stores, b"")


def _quantized(image: contract.Pixels, colours: int) -> contract.Pixels:
    """The picture reduced to a palette, without the colours of fully transparent pixels."""
    from PIL import Image

    method = Image.Quantize.MEDIANCUT
    if image.mode == "RGBA":
        clear = Image.new("RGBA", image.size)
        clear.paste(image, mask=image.getchannel("A").point(lambda level: 255 if level else 0))
        image, method = clear, Image.Quantize.FASTOCTREE
    return image.quantize(colours, method, dither=Image.Dither.FLOYDSTEINBERG)


FORMAT: Final[PictureFormat] = PictureFormat(
    name="png",
    media_type="image/png",
    suffixes=(".png",),
    rank=1,
    matches=lambda data: data.startswith(png_file.SIGNATURE),
    header=_header,
    parts=png_file.chunks,
    xmp=png_file.xmp,
    c2pa=_c2pa,
    public=frozenset(
        {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD"}
        | {b"pHYs", b"caBX"}
    ),
    plugin=png_file.plugin,
    encoder=PngEncoder,
)
