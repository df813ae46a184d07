"""Pictures decoded lately: a new picture is verified, counted and derived from in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from flux2build.digest import Digest

if TYPE_CHECKING:
    from PIL import Image


_LIMIT: Final = 32 << 20
"""Bytes of memory; a larger picture is decoded again."""
_OFFERED: Final = 64 << 20
"""The same for pictures that are decoded before anything is made of them."""
_MOST: Final = 64
_BYTES_PER_PIXEL: Final = 4


class Decoded(NamedTuple):
    """What a file holds: its format, its number of frames, and the pixels of the first one."""

    format: str
    frames: int
    pixels: Image.Image

    @property
    def bytes(self) -> int:
        """The memory that the pixels take."""
        return self.pixels.width * self.pixels.height * _BYTES_PER_PIXEL


class Recent:
    """The newest pictures by the digests of their files, as far as they fit into a limit.

    Threads may share it: each step is one operation of a dictionary, and a thread that misses a
    picture while another moves it decodes it again.
    """

    def __init__(self, limit: int = _LIMIT, offered: int = _OFFERED) -> None:
        self._limit, self._offered = limit, offered
        self._pictures: dict[Digest, Decoded] = {}
        """In the order in which they were last asked for."""

    def get(self, digest: Digest) -> Decoded | None:
        """A picture, whose pixels must not be changed."""
        if (picture := self._pictures.pop(digest, None)) is None:
            return None
        self._pictures[digest] = picture
        return picture

    def offer(self, digest: Digest, decoded: Decoded) -> None:
        """Keep a picture if there is room for it beside the others."""
        used = sum(each.bytes for each in list(self._pictures.values()))
        if used + decoded.bytes <= self._offered and len(self._pictures) < _MOST:
            self._pictures[digest] = decoded

    def put(self, digest: Digest, decoded: Decoded) -> None:
        """Keep a picture, which must not change any more, and drop the least recently used ones."""
        if decoded.bytes > self._limit:
            return
        self._pictures[digest] = decoded
        pictures = list(self._pictures.items())
        used = sum(each.bytes for _, each in pictures)
        for oldest, each in pictures:
            if used <= self._limit and len(self._pictures) <= _MOST:
                break
            self._pictures.pop(oldest, None)
            used -= each.bytes
