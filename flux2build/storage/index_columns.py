"""Writes an index: all of it in columns, or what has changed since the columns were written."""

from __future__ import annotations

import marshal
import os
import time
import zlib

from flux2build.storage.index_packed import CHANGES, FORMAT, KINDS, NAME, Packed, Row
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
    paths = list(rows)
    places = {path: at for at, path in enumerate(paths)}
    numbers = bytes([_kind(row[0]) for row in rows.values()])
    digests = b"".join([_raw(row[0]) for row in rows.values()])
    columns = zip(*(row[1:] for row in rows.values()), strict=True)
    fingerprints = _numbers([number for column in columns for number in column], "Q")
    noted = {
        key: (text, _numbers([places[path] for path in on], "I"))
        for key, (text, on) in answers.items()
    }
    body = marshal.dumps(((paths, numbers, fingerprints, digests), noted))
    _write(folder, NAME, time.time_ns(), body)
    changes = os.path.join(folder, CHANGES)
    if os.path.lexists(changes):  # they continue what was written before
        os.unlink(changes)


def keep_changes(folder: str, packed: Packed) -> None:
    """Write what has changed since an index was written as a whole.

    Raises:
        OSError: it cannot be written.
    """
    _write(folder, CHANGES, packed.written, marshal.dumps((packed.rows, packed.noted)))
    packed.changed = False


def _write(folder: str, name: str, written: int, body: bytes) -> None:
    body = _numbers([FORMAT, *stamp(folder), written], "Q") + body
    swap(os.path.join(folder, name), zlib.crc32(body).to_bytes(8, "big") + body)


def _numbers(values: list[int], code: str) -> bytes:
    """Pack numbers of one width into bytes; `array` would cost an import."""
    packed = bytearray((8 if code == "Q" else 4) * len(values))
    with memoryview(packed) as raw, raw.cast(code) as view:  # type: ignore[call-overload] # Q or I
        for at, value in enumerate(values):
            view[at] = value
    return bytes(packed)


def _kind(state: str) -> int:
    return 0 if state.startswith("sha256:") else KINDS.index(state)


def _raw(state: str) -> bytes:
    return bytes.fromhex(state[7:]) if state.startswith("sha256:") else bytes(32)
