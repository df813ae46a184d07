"""Encoding a sketch: every format carries the mark, and the same picture gives the same bytes."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import Image, PngImagePlugin

from flux2build.images.formats.png_file import XMP_KEYWORD
from flux2build.images.provenance.iptc import SourceType, packet
from flux2build.providers.sketch.words import one_line

SOFTWARE: Final = "flux2build sketch"

_DESCRIPTION: Final = 1000
_IMAGE_DESCRIPTION: Final = 0x010E
_SOFTWARE_TAG: Final = 0x0131
_MARK: Final = packet(SourceType.ALGORITHMIC)
_RLE: Final = 3
"""zlib's run-length strategy, which makes flat sketches smaller and faster to write."""


def encode(image: Image.Image, form: str, prompt: str) -> bytes:
    """Encode a picture, with the program that drew it and the prompt in its metadata."""
    description = one_line(f"A sketch, not a render: {prompt}", _DESCRIPTION)
    out = BytesIO()
    match form:
        case "png":
            image.save(
                out, "PNG", compress_level=1, compress_type=_RLE, pnginfo=_texts(description)
            )
        case "jpeg" | "jpg":
            image.save(out, "JPEG", quality=90, subsampling=0, exif=_exif(description), xmp=_MARK)
        case "webp":
            image.save(out, "WEBP", quality=88, method=0, exif=_exif(description), xmp=_MARK)
        case _:
            raise ValueError(f"a sketch cannot be written as {form}")
    return out.getvalue()


def _texts(description: str) -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Software", SOFTWARE)
    texts.add_text("Description", description)
    texts.add_itxt(XMP_KEYWORD, _MARK.decode())
    return texts


def _exif(description: str) -> bytes:
    exif = Image.Exif()
    exif[_IMAGE_DESCRIPTION] = description.encode()
    exif[_SOFTWARE_TAG] = SOFTWARE
    return exif.tobytes()
