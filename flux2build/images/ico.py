"""The container of icons: several sizes in one file, each a whole PNG."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

_HEAD: Final = struct.Struct("<HHH")
_ROW: Final = struct.Struct("<BBBBHHII")
_LARGEST: Final = 256


def packed(pictures: Sequence[tuple[int, bytes]]) -> bytes:
    """The file that holds square pictures, each with its side in pixels; smallest first.

    A side of 256 is written as 0: one byte is all that there is for it.
    """
    ordered = sorted(pictures)
    at = _HEAD.size + _ROW.size * len(ordered)
    rows = []
    for side, data in ordered:
        rows.append(_ROW.pack(side % _LARGEST, side % _LARGEST, 0, 0, 1, 32, len(data), at))
        at += len(data)
    return _HEAD.pack(0, 1, len(ordered)) + b"".join(rows) + b"".join(d for _, d in ordered)
