"""AVIF: the smallest files, with transparency, slow to write."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Annotated, Any, ClassVar, Final

from flux2build.images.formats import contract, isobmff
from flux2build.images.formats.contract import Header, PictureFormat, number
from flux2build.tables.table import Field

_ITEMS: Final = frozenset({b"meta", b"moov"})
_BYTES: Final = frozenset({b"mdat", b"idat"})

Speed = Annotated[int, Field(ge=0, le=10)]


class AvifEncoder(contract.SubsampledEncoder):
    """Writes an AVIF; its defaults are measured in docs/adr/0003-settings-of-encoders.md."""

    codecs: ClassVar = {"avif": "libavif"}
    lacks: ClassVar = {"lossless": "it rounds colours even at quality 100"}

    quality: contract.Quality = 60
    speed: Speed = 7
    """0 is slow and small, 10 fast and large."""

    @property
    def arguments(self) -> dict[str, Any]:
        """One thread and no tiles, as their number would change the bytes."""
        fixed = {"max_threads": 1, "autotiling": False}
        return {**super().arguments, "speed": self.speed, **fixed}


def _header(data: bytes) -> Header:
    """The size of the largest item; thumbnails and tiles are smaller.

    A file that ends between two boxes is cut off where its items or their bytes are missing.
    """
    kinds, sizes = set(), [(0, 0)]
    for kind, start, stop in isobmff.boxes(data):
        if stop > len(data):
            break
        kinds.add(kind)
        if kind == b"meta":
            sizes += _extents(data, start + 4, stop, (b"iprp", b"ipco", b"ispe"))
            kinds |= {box.kind for box in isobmff.boxes(data, start + 4, stop)}
    else:
        if kinds & _ITEMS and kinds & _BYTES:
            return Header("avif", *max(sizes, key=prod), end=len(data))
    return Header("avif", *max(sizes, key=prod), fault=contract.CUT)


def _extents(
    data: bytes, start: int, stop: int, path: tuple[bytes, ...]
) -> Iterator[tuple[int, int]]:
    """The sizes in the boxes that lie one in another as `path` says."""
    if not path:
        yield number(data, start + 4, 4), number(data, start + 8, 4)
        return
    for box in isobmff.boxes(data, start, stop):
        if box.kind == path[0]:
            yield from _extents(data, box.start, box.stop, path[1:])


def _plugin() -> contract.Decoder:
    from PIL import AvifImagePlugin

    return AvifImagePlugin.AvifImageFile


FORMAT: Final[PictureFormat] = PictureFormat(
    name="avif",
    media_type="image/avif",
    suffixes=(".avif",),
    rank=4,
    matches=lambda data: isobmff.brand(data) in {b"avif", b"avis"},
    header=_header,
    parts=isobmff.boxes,
    xmp=contract.wrapped_xmp,
    c2pa=isobmff.c2pa,
    plugin=_plugin,
    bytes_per_pixel=12,
    encoder=AvifEncoder,
)
