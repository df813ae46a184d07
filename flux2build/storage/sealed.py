"""Values that can be computed again, kept in flux2build's own folder beside a spec.

They are sealed like the index: files from elsewhere, such as those that a stranger committed,
damaged files, and files of other code are not read. A file begins with the number of its layout, so
that versions do not misread each other's files.
"""

from __future__ import annotations

import marshal
import os
import zlib
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Final

from flux2build.storage import regular
from flux2build.storage.edition import EDITION
from flux2build.storage.own_folder import FOLDER, own_folder, stamp, swap

_LAYOUT: Final = b"sealed 2"
"""Earlier layouts begin with a checksum, and have a stamp where this one has its checksum."""
_SEALED: Final = 8 + 8
_HEAD: Final = _SEALED + 8 + 8 + 4
_SIZE: Final = 8
"""Bytes that say how long a part is."""


def load(folder: Path, name: str) -> object:
    """Return the value under a name; None if there is no trustworthy one."""
    own = folder / FOLDER
    try:
        data = memoryview(regular.read(own / name, None))
        check = int.from_bytes(data[8:_SEALED], "big")
        is_ours = bytes(data[:8]) == _LAYOUT and data[_SEALED:_HEAD] == _seal(str(own))
        if not is_ours or zlib.crc32(data[_SEALED:]) != check:
            return None
        return marshal.loads(data[_HEAD:])  # noqa: S302 - sealed, see above
    except (OSError, ValueError, EOFError, TypeError):
        return None


def read_parts(folder: Path, name: str) -> list[bytes] | None:
    """Return the parts under a name; None if there are no trustworthy ones."""
    own = folder / FOLDER
    try:
        with regular.opened(own / name) as file:
            left, layout, check = os.fstat(file.fileno()).st_size, file.read(8), file.read(8)
            seal = file.read(_HEAD - _SEALED)
            if layout != _LAYOUT or seal != _seal(str(own)):
                return None
            parts, checksum = list[bytes](), zlib.crc32(seal)
            while size := file.read(_SIZE):
                if int.from_bytes(size, "big") > left:
                    return None
                parts.append(file.read(int.from_bytes(size, "big")))
                checksum = zlib.crc32(parts[-1], zlib.crc32(size, checksum))
    except OSError:
        return None
    return parts if checksum == int.from_bytes(check, "big") else None


def keep(folder: Path, name: str, value: object) -> None:
    """Write a value; errors of the disk are ignored.

    Raises:
        ValueError: it holds other values than plain data.
    """
    write(folder, name, marshal.dumps(value))  # type: ignore[arg-type] # it says so


def write(folder: Path, name: str, *pieces: bytes) -> None:
    """Write bytes; errors of the disk are ignored."""
    try:
        own = Path(own_folder(str(folder)))
        seal = _seal(str(own))
        checksum = zlib.crc32(seal)
        for piece in pieces:
            checksum = zlib.crc32(piece, checksum)
        head = _LAYOUT, checksum.to_bytes(8, "big"), seal
        swap(str(own / name), b"".join((*head, *pieces)))
    except OSError:
        return


def write_parts(folder: Path, name: str, parts: Iterable[bytes]) -> None:
    """Write bytes in parts; errors of the disk are ignored."""
    sizes = ((len(part).to_bytes(_SIZE, "big"), part) for part in parts)
    write(folder, name, *chain.from_iterable(sizes))


def _seal(own: str) -> bytes:
    """The stamp of a folder, and of the code that runs, in bytes."""
    code = zlib.crc32(EDITION.encode()).to_bytes(4, "big")
    return b"".join(number.to_bytes(8, "big") for number in stamp(own)) + code
