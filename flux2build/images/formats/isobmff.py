"""The boxes of ISO base media files (ISO/IEC 14496-12), such as AVIF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.images.formats.contract import FilePart, number

_C2PA: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""The UUID of the box that holds a C2PA manifest store."""


def boxes(data: bytes, at: int = 0, stop: int | None = None) -> Iterator[FilePart]:
    """The boxes between two places; the last one may reach beyond the bytes.

    Raises:
        IndexError, ValueError: the header of a box is cut off, or its length is impossible.
    """
    stop = len(data) if stop is None else stop
    while at < stop:
        length, kind, start = number(data, at, 4), data[at + 4 : at + 8], at + 8
        if length == 1:
            length, start = number(data, at + 8, 8), at + 16
        length = length or stop - at
        if length < start - at:
            raise ValueError(length)
        yield FilePart(kind, start, at + length)
        at += length


def brand(data: bytes) -> bytes:
    """The major brand, which names the format; empty for a file that is not ISO media."""
    return data[8:12] if data[4:8] == b"ftyp" else b""


def c2pa(data: bytes) -> bytes:
    """The C2PA manifest store, which has a box of its own."""
    stores = (
        data[start:stop]
        for kind, start, stop in boxes(data)
        if kind == b"uuid" and data.startswith(_C2PA, start)
    )
    # The store follows the UUID, version and flags, the box's purpose, and an offset.
    begin = len(_C2PA) + 4 + len(b"manifest\x00") + 8
    return next((store[begin:] for store in stores), b"")
