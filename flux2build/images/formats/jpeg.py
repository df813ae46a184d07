"""JPEG: photographs, without transparency."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, ClassVar, Final

from flux2build.images.formats import contract
from flux2build.images.formats.contract import FilePart, Header, PictureFormat, number

_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""A marker after any number of fill bytes; escapes and restarts within a scan are skipped."""
_END, _SCAN = b"\xd9", b"\xda"
_BARE: Final = frozenset({b"\x01", b"\xd8", _END})
"""Markers without content."""
_TABLES: Final = frozenset({b"\xc4", b"\xc8", b"\xcc"})
_FRAMES: Final = frozenset(bytes([kind]) for kind in range(0xC0, 0xD0)) - _TABLES
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\x00"


class JpegEncoder(contract.SubsampledEncoder):
    """Writes a JPEG."""

    codecs: ClassVar = {"libjpeg_turbo": "libjpeg-turbo", "jpg": "libjpeg"}
    longest: ClassVar = 65_500
    lacks: ClassVar = {"lossless": "it always gives up detail"}

    quality: contract.Quality = 85

    @property
    def arguments(self) -> dict[str, Any]:
        """Progressive, and with tables of its own."""
        return {**super().arguments, "progressive": True, "optimize": True}


def _segments(data: bytes) -> Iterator[FilePart]:
    """The segments by their marker, up to the end marker; pixels lie between them.

    Raises:
        IndexError: a segment is cut off.
    """
    at = 2
    while marker := _MARKER.search(data, at):
        kind, at = marker[1], marker.end()
        start = at
        if kind not in _BARE:
            start, at = at + 2, at + number(data, at, 2)
        yield FilePart(kind, start, at)
        if kind == _END:
            return


def _header(data: bytes) -> Header:
    width = height = 0
    for kind, start, stop in _segments(data):
        if kind in _FRAMES:
            height, width = number(data, start + 1, 2), number(data, start + 3, 2)
        if kind == _END:
            return Header("jpeg", width, height, end=stop)
    return Header("jpeg", width, height, fault="it has no end marker")


def _contents(data: bytes, kind: bytes, start: bytes) -> Iterator[bytes]:
    """The contents of segments before the pixels that are of a kind and begin with `start`."""
    for part in takewhile(lambda part: part.kind != _SCAN, _segments(data)):
        if part.kind == kind and data.startswith(start, part.start):
            yield data[part.start : part.stop]


def _xmp(data: bytes) -> bytes:
    return next(_contents(data, b"\xe1", _XMP), b"")[len(_XMP) :]


def _c2pa(data: bytes) -> bytes:
    """The manifest store, which is spread over segments; later ones repeat its first header."""
    parts = _contents(data, b"\xeb", b"JP")
    return b"".join(part[8 if at == 0 else 16 :] for at, part in enumerate(parts))


def _plugin() -> contract.Decoder:
    from PIL import JpegImagePlugin

    return JpegImagePlugin.JpegImageFile


FORMAT: Final[PictureFormat] = PictureFormat(
    name="jpeg",
    media_type="image/jpeg",
    suffixes=(".jpg", ".jpeg"),
    rank=2,
    matches=lambda data: data.startswith(b"\xff\xd8\xff"),
    header=_header,
    parts=_segments,
    xmp=_xmp,
    c2pa=_c2pa,
    # Frames, tables, scans, the format's own name, and the provenance that models write.
    public=_FRAMES | _TABLES | {b"\xdb", b"\xdd", b"\xe0", b"\xeb", _SCAN, _END},
    alpha=False,
    plugin=_plugin,
    encoder=JpegEncoder,
)
