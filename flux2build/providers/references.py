"""References as they are sent: upright, without private data, no larger than the model takes.

What is sent follows from the file and the model's card alone, so the file's
digest still names the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import isqrt
from typing import Final

from flux2build.digest import Json
from flux2build.errors import Problem
from flux2build.images.container import examine
from flux2build.images.decode import decode, resized
from flux2build.images.encode import encode
from flux2build.providers.capabilities import Card
from flux2build.providers.contract import Reference
from flux2build.providers.pricing import megapixels, size_of

Size = tuple[int, int]

_QUALITY: Final = 95
_SENT: Final = frozenset({"png", "jpeg", "webp"})
"""Formats that every provider takes."""
_CONVERTED: Final = frozenset({"avif", "bmp", "gif", "tiff"})
"""Formats that are sent as PNG."""

_HARMLESS_PNG: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD"}
    | {b"pHYs", b"caBX"}
)
_HARMLESS_WEBP: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"C2PA"})
_HARMLESS_JPEG: Final = frozenset(range(0xC0, 0xD0)) | {0xDA, 0xDB, 0xDD, 0xE0, 0xEB}
"""Frames, tables, scans, the format's own name, and the provenance that models write."""

_JPEG_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_END: Final = 0xD9


def sent_size(size: Size, card: Card) -> Size:
    """The size at which a reference is sent: its own, or the largest that the model takes."""
    width, height = size
    most = card.reference_pixels
    if most is None or width * height <= most:
        return size
    wide = min(most, max(1, isqrt(width * most // height)))
    high = min(most // wide, max(1, isqrt(height * most // width)))
    return wide, high


def shown(size: Size) -> str:
    """A size as people write it."""
    return f"{size[0]}×{size[1]}"  # noqa: RUF001  # the sign people read in sizes


def scaled(size: Size, card: Card) -> str:
    """How a reference is scaled before it is sent, in words; empty when it is not."""
    sent = sent_size(size, card)
    return "" if sent == size else f"scaled from {shown(size)} to {shown(sent)}"


def alteration(data: bytes, card: Card) -> str:
    """What becomes of a reference before it is sent, in words; empty when its bytes are sent as they are."""
    found = examine(data)
    if found.format not in _SENT | _CONVERTED or found.fault is not None:
        return ""
    if words := scaled((found.width, found.height), card):
        return words
    if found.format not in _SENT:
        return f"as PNG instead of {found.format.upper()}"
    return "without its metadata" if has_more(data, found.format) else ""


Misfit = tuple[int | None, Problem]
"""What is wrong with a reference by its number from 0, or with all of them."""


def misfits(
    card: Card, params: Mapping[str, Json], references: Sequence[tuple[str, Size | None]]
) -> Iterator[Misfit]:
    """What is wrong with an order's references, as far as their sizes are known."""
    if len(references) > card.references:
        most = f"`{card.model}` takes {card.references or 'no'} references"
        message = f"{most}, and there are {len(references)}"
        yield None, Problem(message, hint="leave some out of `refs`")
    for index, (name, size) in enumerate(references):
        if size and min(size) < card.reference_side:
            least = f"{card.reference_side} pixels a side"
            yield (
                index,
                Problem(
                    f"`{name}` is too small for `{card.model}`",
                    rows=(("size", shown(size)), ("least", least)),
                    hint="use a larger picture",
                ),
            )
    yield from _crowding(card, params, [size for _, size in references])


def _crowding(
    card: Card, params: Mapping[str, Json], sizes: Sequence[Size | None]
) -> Iterator[Misfit]:
    """Too many megapixels of output and references together."""
    size, most = size_of(params), card.input_megapixels
    output = megapixels(*size) if size else 1
    inputs = [megapixels(*sent_size(each, card)) if each else 1 for each in sizes]
    if most is not None and inputs and output + sum(inputs) > most:
        yield (
            None,
            Problem(
                f"`{card.model}` takes {most} megapixels of output and references together",
                rows=(("output", f"{output}"), ("references", " + ".join(map(str, inputs)))),
                hint="use smaller references or a smaller output, or leave a reference out",
            ),
        )


def prepared(reference: Reference, card: Card) -> Reference:
    """A reference as it is sent; one that is fit already keeps its bytes.

    Raises:
        PictureError: it is no whole, still picture.
    """
    found = examine(reference.data)
    size = (found.width, found.height)
    fit = found.fault is None and found.frames == 1 and sent_size(size, card) == size
    if fit and found.format in _SENT and not has_more(reference.data, found.format):
        return Reference(reference.name, reference.data, f"image/{found.format}")
    image = decode(reference.data, reference.name)
    if (smaller := sent_size(image.size, card)) != image.size:
        image = resized(image, *smaller)
    form = "jpeg" if found.format == "jpeg" else "png"
    data = encode(image, {"format": form} | ({"quality": _QUALITY} if form == "jpeg" else {}))
    return Reference(reference.name, data, f"image/{form}")


def has_more(data: bytes, form: str) -> bool:
    """Whether a whole file holds more than the picture: EXIF, a place, a comment, a thumbnail."""
    match form:
        case "png":
            kinds, end = _png(data)
            return end < len(data) or not _HARMLESS_PNG.issuperset(kinds)
        case "webp":
            kinds, end = _webp(data)
            return end < len(data) or not _HARMLESS_WEBP.issuperset(kinds)
        case _:
            markers, end = _jpeg(data)
            return end < len(data) or not _HARMLESS_JPEG.issuperset(markers)


def _png(data: bytes) -> tuple[Sequence[bytes], int]:
    """The chunks of a PNG, and where it ends."""
    kinds, at = [b"IHDR"], 8
    while kinds[-1] != b"IEND":
        kinds.append(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4])
    return kinds, at


def _webp(data: bytes) -> tuple[Sequence[bytes], int]:
    """The chunks of a WebP, and where it ends."""
    kinds, at, end = [], 12, 8 + int.from_bytes(data[4:8], "little")
    while at + 8 <= end:
        kinds.append(data[at : at + 4])
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return kinds, end


def _jpeg(data: bytes) -> tuple[Sequence[int], int]:
    """The markers of a JPEG, and where it ends."""
    markers, at = [], 2
    while found := _JPEG_MARKER.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == _END:
            break
        markers.append(marker)
        at += int.from_bytes(data[at : at + 2])
    return markers, at
