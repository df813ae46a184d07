"""Drawing a sketch: a scene that suits the prompt, below its overlays."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Final

from PIL import ExifTags, Image, PngImagePlugin

from flux2build.images.formats.png_file import XMP_KEYWORD
from flux2build.images.provenance.iptc import SourceType, packet
from flux2build.providers.sketch import overlays
from flux2build.providers.sketch.canvas import Box, Canvas
from flux2build.providers.sketch.key_colour import KeyColour
from flux2build.providers.sketch.palette import of_prompt
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import choose
from flux2build.providers.sketch.words import one_line

SOFTWARE: Final = "flux2build sketch"

_MARK: Final = packet(SourceType.ALGORITHMIC)


def picture(  # noqa: PLR0913, PLR0917 - an order, spelt out
    prompt: str,
    width: int,
    height: int,
    format: str,  # noqa: A002 - the word that specs and providers use
    token: str,
    references: Sequence[tuple[str, bytes]] = (),
    key: KeyColour | None = None,
) -> bytes:
    """Draw a sketch as a file; the same arguments always give the same bytes."""
    return _encode(draw(prompt, (width, height), token, references, key), format, prompt)


def draw(
    prompt: str,
    size: tuple[int, int],
    token: str,
    references: Sequence[tuple[str, bytes]] = (),
    key: KeyColour | None = None,
) -> Image.Image:
    """Draw a sketch: a scene that suits the prompt, below its overlays.

    `token` seeds what the prompt leaves open. References are names with their bytes.
    """
    rng = RandomSource(f"{token}\n{prompt}")
    palette = of_prompt(prompt, rng.fork("palette"), without=key.colour if key else None)
    card, mark = overlays.caption(prompt, *size), overlays.stamp(*size)
    canvas = Canvas(*size, _stage(size, card, mark), palette.ground, key)
    choose(prompt, rng.fork("family"))(canvas, palette, rng.fork("scene"))
    canvas.lay_on_key()
    prints = overlays.thumbnails(references, *size, mark)
    layers: list[overlays.Overlay] = [mark, *prints, *([card] if card else [])]
    for layer in layers:
        layer.paint(canvas, palette)
    image = canvas.finish()
    for layer in layers:
        layer.letter(image, palette)
    return image


def _stage(size: tuple[int, int], card: overlays.Caption | None, mark: overlays.Stamp) -> Box:
    """The part of a picture that its overlays leave free."""
    width, height = size
    edge = overlays.margin(width, height)
    if card is None:
        return Box(edge, edge, width - edge, height - edge)
    if card.box.right < width * 0.62 and width > height * 2.2:
        return Box(card.box.right, mark.box.bottom, width - edge, height - edge)
    top = mark.box.bottom if height > width * 1.2 else edge
    return Box(edge, top, width - edge, card.box.top - edge * 0.5)


def _encode(image: Image.Image, form: str, prompt: str) -> bytes:
    """Encode a picture, with the program that drew it and the prompt in its metadata."""
    description = one_line(f"A sketch, not a render: {prompt}", 1000)
    out = BytesIO()
    match form:
        case "png":
            # Run lengths make flat sketches smaller, and faster to write.
            texts = _texts(description)
            image.save(out, "PNG", compress_level=1, compress_type=zlib.Z_RLE, pnginfo=texts)
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
    exif[ExifTags.Base.ImageDescription] = description.encode()
    exif[ExifTags.Base.Software] = SOFTWARE
    return exif.tobytes()
