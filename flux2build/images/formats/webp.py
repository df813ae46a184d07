"""WebP: photographs and drawings, with transparency, lossy or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from flux2build.images.formats import contract
from flux2build.images.formats.contract import FilePart, Header, PictureFormat, number
from flux2build.tables.table import rule


class WebpEncoder(contract.LossyEncoder):
    """Writes a WebP, which may keep every pixel exactly."""

    codecs: ClassVar = {"webp": "libwebp"}
    longest: ClassVar = 16_383

    quality: contract.Quality = 82
    lossless: bool = False

    @rule
    def _combines(self) -> None:
        if self.lossless and "quality" in self.model_fields_set:
            raise ValueError("`quality` and `lossless` exclude each other")

    @property
    def squeezable(self) -> bool:
        """Whether a lower quality makes the file smaller."""
        return not self.lossless

    @property
    def remedy(self) -> str:
        """What to do about a file that is larger than `max_bytes`."""
        if self.lossless:
            return "drop `lossless`, deliver fewer pixels, or raise `max_bytes`"
        return super().remedy

    @property
    def arguments(self) -> dict[str, Any]:
        """Without loss, Pillow's `quality` is the effort spent on making the file small."""
        if self.lossless:
            return {"lossless": True, "quality": 75}
        return {"quality": self.quality, "method": 6}


def _chunks(data: bytes) -> Iterator[FilePart]:
    """The chunks up to the end that the file announces; the last one may be cut off."""
    at, end = 12, min(_end(data), len(data))
    while at + 8 <= end:
        start = at + 8
        stop = start + number(data, at + 4, 4, "little")
        yield FilePart(data[at : at + 4], start, stop)
        at = stop + stop % 2


def _end(data: bytes) -> int:
    return 8 + number(data, 4, 4, "little")


def _header(data: bytes) -> Header:
    width, height = _size(data)
    if len(data) < _end(data):
        return Header("webp", width, height, fault=contract.CUT)
    frames = sum(part.kind == b"ANMF" for part in _chunks(data))
    return Header("webp", width, height, frames or 1, end=_end(data))


def _size(data: bytes) -> tuple[int, int]:
    """The size in the first chunk, which has one of three layouts."""
    match data[12:16]:
        case b"VP8X":
            return number(data, 24, 3, "little") + 1, number(data, 27, 3, "little") + 1
        case b"VP8L":
            bits = number(data, 21, 4, "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            return number(data, 26, 2, "little") & 0x3FFF, number(data, 28, 2, "little") & 0x3FFF


def _content(data: bytes, kind: bytes) -> bytes:
    return next((data[part.start : part.stop] for part in _chunks(data) if part.kind == kind), b"")


def _plugin() -> contract.Decoder:
    from PIL import WebPImagePlugin

    return WebPImagePlugin.WebPImageFile


FORMAT: Final[PictureFormat] = PictureFormat(
    name="webp",
    media_type="image/webp",
    suffixes=(".webp",),
    rank=3,
    matches=lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP",
    header=_header,
    parts=_chunks,
    xmp=lambda data: _content(data, b"XMP "),
    c2pa=lambda data: _content(data, b"C2PA"),
    public=frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"C2PA"}),
    plugin=_plugin,
    bytes_per_pixel=16,
    encoder=WebpEncoder,
)
