"""Which format something is: by its name, by how a path ends, or by a file's first bytes."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from flux2build.images.formats.contract import CUT, FORMATS, Format, Header
from flux2build.images.formats.isobmff import brand

_STRANGERS: Final = (
    (b"8BPS", "psd"),
    (b"%PDF", "pdf"),
    (b"\xff\x0a", "jpeg xl"),
    (b"\x00\x00\x00\x0cJXL ", "jpeg xl"),
    (b"\x00\x00\x00\x0cjP  ", "jpeg 2000"),
)
"""How files begin that are not read here, so that a message can call them by their names."""
_STRANGE_BRANDS: Final = dict.fromkeys((b"heic", b"heix", b"hevc", b"mif1"), "heic")
_TEXTS: Final = ((b"<svg", "svg"), (b"<html", "html"), (b"<!doctype html", "html"))


@cache
def formats() -> Mapping[str, Format]:
    """Every format by its name, in the order of lists."""
    members = sorted(FORMATS.values(), key=lambda member: member.rank)
    return MappingProxyType({member.name: member for member in members})


@cache
def writable() -> tuple[str, ...]:
    """The names of the formats that deliverables can have."""
    return tuple(name for name, member in formats().items() if member.encoder)


def decodable(name: str) -> bool:
    """Whether pictures of a format are read here."""
    return name in formats() and formats()[name].plugin is not None


def of_path(path: str) -> Format | None:
    """The format that a path's ending stands for."""
    suffix = posixpath.splitext(path)[1].lower()
    return next((member for member in formats().values() if suffix in member.suffixes), None)


def of_bytes(data: bytes) -> Format | None:
    """The format that a file begins as; a name is no evidence."""
    return next((member for member in formats().values() if member.matches(data)), None)


def media_type(name: str) -> str:
    """The media type of a format; a guess for one that is not known."""
    known = formats().get(name)
    return known.media_type if known else f"image/{name}"


def sniff(data: bytes) -> str:
    """The name of the format that a file begins as; empty when it is unknown."""
    if known := of_bytes(data):
        return known.name
    if name := _STRANGE_BRANDS.get(brand(data)):
        return name
    head = data[:512].lower()
    names = [name for start, name in _STRANGERS if data.startswith(start)]
    return next(iter(names + [name for word, name in _TEXTS if word in head]), "")


def examine(data: bytes) -> Header:
    """What a file says of its picture outside of the pixels; never raises, whatever the bytes.

    Damage and bombs are found here, before a decoder sees the bytes. Pillow alone
    would accept a PNG without its end.
    """
    known = of_bytes(data)
    if known is None:
        return Header(sniff(data), end=len(data))
    try:
        return known.header(data)
    except (IndexError, ValueError):
        return Header(known.name, fault=CUT)


def xmp(data: bytes) -> bytes:
    """The XMP packet of a picture's file; empty when there is none. Never raises."""
    known = of_bytes(data)
    try:
        return known.xmp(data) if known else b""
    except (IndexError, ValueError):
        return b""


def c2pa(data: bytes) -> bytes:
    """The C2PA manifest store of a picture's file; empty when there is none. Never raises."""
    known = of_bytes(data)
    try:
        return known.c2pa(data) if known else b""
    except (IndexError, ValueError):
        return b""


def holds_more(data: bytes) -> bool:
    """Whether a whole file holds more than its picture: EXIF, a place, a comment, a thumbnail."""
    known = of_bytes(data)
    if known is None:
        return True
    end = known.header(data).end
    kinds = {piece.kind for piece in known.pieces(data)}
    return end != len(data) or not kinds <= known.public
