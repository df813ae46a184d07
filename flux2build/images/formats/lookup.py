"""Finds formats by name, by the ending of a path, and by the first bytes of a file."""

from __future__ import annotations

import posixpath
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final, TypeVar

from flux2build.images.formats import FORMATS
from flux2build.images.formats.contract import CUT, Header, PictureFormat
from flux2build.images.formats.isobmff import brand

T = TypeVar("T")

_UNREAD: Final = (
    (b"8BPS", "psd"),
    (b"%PDF", "pdf"),
    (b"\xff\x0a", "jpeg xl"),
    (b"\x00\x00\x00\x0cJXL ", "jpeg xl"),
    (b"\x00\x00\x00\x0cjP  ", "jpeg 2000"),
)
"""Signatures of formats that are not read, so that messages can name them."""
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"mif1"})
_TEXTS: Final = ((b"<svg", "svg"), (b"<html", "html"), (b"<!doctype html", "html"))
_UNREADABLE: Final = (
    ArithmeticError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""The errors that a parser may raise for bytes that do not match their signature."""


@cache
def formats() -> Mapping[str, PictureFormat]:
    """Every format by name, in the order of lists."""
    members = sorted(FORMATS.values(), key=lambda member: member.rank)
    return MappingProxyType({member.name: member for member in members})


@cache
def writable() -> tuple[str, ...]:
    """The names of the formats that deliverables can have."""
    return tuple(name for name, member in formats().items() if member.encoder)


def decodable(name: str) -> bool:
    """Whether pictures of a format can be decoded."""
    return name in formats() and formats()[name].plugin is not None


def of_path(path: str) -> PictureFormat | None:
    """The format that the ending of a path stands for."""
    stem, _, ending = path.rpartition(".")
    if stem[-1:] in {"", "/", "."}:  # a name that starts with a dot has no ending there
        ending = posixpath.splitext(path)[1][1:]
    return _of_ending(ending.lower())


@lru_cache(maxsize=64)
def _of_ending(ending: str) -> PictureFormat | None:
    """The format of that name, without importing the others; else the first with that ending."""
    if ending in FORMATS and f".{ending}" in FORMATS[ending].suffixes:
        return FORMATS[ending]
    return _by_suffix().get(f".{ending}")


@cache
def _by_suffix() -> Mapping[str, PictureFormat]:
    ranked = reversed(list(formats().values()))
    return {suffix: member for member in ranked for suffix in member.suffixes}


def of_bytes(data: bytes) -> PictureFormat | None:
    """The format of a file by its first bytes; its name is not evidence."""
    return next((member for member in formats().values() if member.matches(data)), None)


def media_type(name: str) -> str:
    """The media type of a format; a guess when the format is unknown."""
    format_ = formats().get(name)
    return format_.media_type if format_ else f"image/{name}"


def sniff(data: bytes) -> str:
    """The name of a file's format by its first bytes; empty when it is unknown."""
    if format_ := of_bytes(data):
        return format_.name
    if brand(data) in _HEIC_BRANDS:
        return "heic"
    names = [name for start, name in _UNREAD if data.startswith(start)]
    names += [name for word, name in _TEXTS if word in data[:512].lower()]
    return names[0] if names else ""


def examine(data: bytes) -> Header:
    """What a file says about its picture outside the pixels; never raises, whatever the bytes.

    It finds damage and decompression bombs before a decoder sees the bytes. Pillow
    alone would accept a PNG without its end.
    """
    format_ = of_bytes(data)
    if format_ is None:
        return Header(sniff(data), end=len(data))
    try:
        return format_.header(data)
    except _UNREADABLE:
        return Header(format_.name, fault=CUT)


def xmp(data: bytes) -> bytes:
    """The XMP packet of a picture's file; empty when there is none. Never raises."""
    return _answer(data, lambda format_: format_.xmp(data), b"")


def c2pa(data: bytes) -> bytes:
    """The C2PA manifest store of a picture's file; empty when there is none. Never raises."""
    return _answer(data, lambda format_: format_.c2pa(data), b"")


def holds_more(data: bytes) -> bool:
    """Whether a file has more than a picture in it: EXIF, a place, a comment, a thumbnail.

    Never raises: what cannot be read may be anything.
    """

    def more(format_: PictureFormat) -> bool:
        kinds = {part.kind for part in format_.parts(data)}
        return format_.header(data).end != len(data) or not kinds <= format_.public

    return _answer(data, more, otherwise=True)


def _answer(data: bytes, ask: Callable[[PictureFormat], T], otherwise: T) -> T:
    """What the format of a file answers; `otherwise` if it is unknown or cannot read the file."""
    format_ = of_bytes(data)
    try:
        return ask(format_) if format_ else otherwise
    except _UNREADABLE:
        return otherwise
