"""ICO: icons in several sizes in one file, each a whole PNG."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

from flux2build.images.formats import contract, png_file
from flux2build.images.formats.contract import Header, PictureFormat, number
from flux2build.tables.table import Field

_HEAD: Final = struct.Struct("<HHH")
_ROW: Final = struct.Struct("<BBBBHHII")
_LARGEST: Final = 256
"""The longest side, written as 0 because it has only one byte."""
_USUAL: Final = (16, 32, 48)

IconSide = Annotated[int, Field(ge=1, le=_LARGEST)]


class IcoEncoder(contract.Encoder):
    """Writes an icon."""

    codecs: ClassVar = png_file.CODECS
    signable = False
    lacks: ClassVar = {"quality": "it keeps every pixel", "lossless": "it always is"}

    sizes: list[IconSide] | None = Field(default=None, min_length=1)
    """By default the usual ones for which the picture is large enough."""

    @property
    def keeps_colours(self) -> bool:
        """Always false: the reader chooses one of its pictures."""
        return False

    @property
    def remedy(self) -> str:
        """What to do about a file that is larger than `max_bytes`."""
        return "hold fewer `sizes`, or raise `max_bytes`"

    def refuse(self, width: int, height: int) -> None:
        """Refuse a picture that is not square, or smaller than the largest icon."""
        sizes = self._held(width)
        if width != height or max(sizes, default=0) > width or not sizes:
            raise contract.PictureError(
                f"a picture of {width}x{height} pixels cannot be this ico",
                rows=(("sizes", ", ".join(map(str, sizes or _USUAL))),),
                hint="crop it to a square that is as large as the largest size",
            )

    def _held(self, width: int) -> Sequence[int]:
        """The sizes of the icons in the file."""
        return self.sizes or [size for size in _USUAL if size <= width]

    def write(self, image: contract.Pixels, metadata: contract.Metadata) -> bytes:
        """The file of a square picture; the largest size carries the metadata."""
        from flux2build.images.alpha import scaled

        sizes = self._held(image.width)
        embedded = {max(sizes): metadata}
        return packed(
            [
                (side, png_file.written(scaled(image, side, side), embedded.get(side, {})))
                for side in dict.fromkeys(sizes)
            ]
        )


def _header(data: bytes) -> Header:
    """The size of the largest picture in the file."""
    count, sizes = number(data, 4, 2, "little"), [(0, 0)]
    end = _HEAD.size + _ROW.size * count
    for at in range(_HEAD.size, end, _ROW.size):
        sizes.append((number(data, at, 1) or _LARGEST, number(data, at + 1, 1) or _LARGEST))
        end = max(end, number(data, at + 8, 4, "little") + number(data, at + 12, 4, "little"))
    if end > len(data):
        return Header("ico", *max(sizes), fault=contract.CUT)
    return Header("ico", *max(sizes), end=end)


def packed(pictures: Sequence[tuple[int, bytes]]) -> bytes:
    """The file of some square PNGs, each with its side in pixels; the smallest comes first."""
    ordered = sorted(pictures)
    at = _HEAD.size + _ROW.size * len(ordered)
    rows = []
    for side, data in ordered:
        rows.append(_ROW.pack(side % _LARGEST, side % _LARGEST, 0, 0, 1, 32, len(data), at))
        at += len(data)
    return _HEAD.pack(0, 1, len(ordered)) + b"".join(rows) + b"".join(d for _, d in ordered)


FORMAT: Final[PictureFormat] = PictureFormat(
    name="ico",
    media_type="image/x-icon",
    suffixes=(".ico",),
    rank=5,
    matches=lambda data: data.startswith(b"\x00\x00\x01\x00"),
    header=_header,
    xmp=contract.wrapped_xmp,
    on_pages=False,
    encoder=IcoEncoder,
)
