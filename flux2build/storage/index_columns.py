"""Writes an index: all of it in columns, or the changes since the columns were written."""

from __future__ import annotations

import marshal
import os
import time
import zlib

from flux2build.storage.index_packed import CHANGES, FORMAT, NAME, Packed, Row, kind_of
from flux2build.storage.own_folder import stamp, swap

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer than to write changes
    from collections.abc import Mapping


def keep(
    folder: str, rows: Mapping[str, Row], answers: Mapping[str, tuple[str, tuple[str, ...]]]
) -> None:
    """Write an index as a whole.

    Raises:
        OSError: it cannot be written.
    """
    paths, masks = list(rows), dict[tuple[str, ...], bytes]()
    for _, on in answers.values():
        masks[on] = masks.get(on) or _mask(paths, on)
    attributes = _numbers([number for row in rows.values() for number in row[1:]])
    columns = (
        paths,
        bytes([kind_of(row[0]) for row in rows.values()]),
        attributes,
        b"".join([_raw(row[0]) for row in rows.values()]),
    )
    body = marshal.dumps((columns, {key: (text, masks[on]) for key, (text, on) in answers.items()}))
    _write(folder, NAME, time.time_ns(), body)
    changes = os.path.join(folder, CHANGES)
    if os.path.lexists(changes):  # they continue the former index
        os.unlink(changes)


def keep_changes(folder: str, packed: Packed) -> None:
    """Write the changes since an index was written as a whole.

    Raises:
        OSError: it cannot be written.
    """
    _write(folder, CHANGES, packed.written, marshal.dumps((packed.rows, packed.noted)))
    packed.changed = False


def _write(folder: str, name: str, written: int, body: bytes) -> None:
    body = _numbers([FORMAT, *stamp(folder), written]) + body
    swap(os.path.join(folder, name), zlib.crc32(body).to_bytes(8, "big") + body)


def _numbers(values: list[int]) -> bytes:
    """Pack numbers into bytes; `array` would cost an import."""
    packed = bytearray(8 * len(values))
    with memoryview(packed) as raw, raw.cast("Q") as view:
        for at, value in enumerate(values):
            view[at] = value
    return bytes(packed)


def _mask(paths: list[str], some: tuple[str, ...]) -> bytes:
    """A byte for each path: 1 for some, and 0 for all others."""
    chosen = {*some}
    return bytes([path in chosen for path in paths]) if some else b""


def _raw(state: str) -> bytes:
    return bytes.fromhex(state[7:]) if state.startswith("sha256:") else bytes(32)
