"""Values that can be computed again, kept in flux2build's own folder beside a spec.

They are sealed as the index is: what came from elsewhere, such as a file that a
stranger committed, what is damaged, and what other code has kept, is not read.
"""

from __future__ import annotations

import marshal
import zlib
from pathlib import Path
from typing import Final

from flux2build.storage import regular
from flux2build.storage.edition import EDITION
from flux2build.storage.own_folder import FOLDER, own_folder, stamp, swap

_HEAD: Final = 8 + 8 + 8 + 4


def load(folder: Path, name: str) -> object:
    """Return a value that was kept under a name; None if there is none that can be trusted."""
    body = read(folder, name)
    try:
        return None if body is None else marshal.loads(body)  # noqa: S302 - sealed, see above
    except (ValueError, EOFError, TypeError):
        return None


def read(folder: Path, name: str) -> memoryview | None:
    """Return the bytes that were kept under a name; None if there are none that can be trusted."""
    own = folder / FOLDER
    try:
        data = memoryview(regular.read(own / name, None))
        sealed = data[8:_HEAD] == _seal(str(own))
    except (OSError, ValueError, TypeError):
        return None
    check = int.from_bytes(data[:8], "big")
    return data[_HEAD:] if sealed and zlib.crc32(data[8:]) == check else None


def keep(folder: Path, name: str, value: object) -> None:
    """Keep a value; a disk that cannot be written to is left alone.

    Raises:
        ValueError: it holds something beside plain data.
    """
    write(folder, name, marshal.dumps(value))  # type: ignore[arg-type] # it says so


def write(folder: Path, name: str, body: bytes) -> None:
    """Keep bytes; a disk that cannot be written to is left alone."""
    try:
        own = Path(own_folder(str(folder)))
        seal = _seal(str(own))
        check = zlib.crc32(body, zlib.crc32(seal)).to_bytes(8, "big")
        swap(str(own / name), b"".join((check, seal, body)))
    except OSError:
        return


def _seal(own: str) -> bytes:
    """The stamp of a folder, and of the code that runs, in bytes."""
    code = zlib.crc32(EDITION.encode()).to_bytes(4, "big")
    return b"".join(number.to_bytes(8, "big") for number in stamp(own)) + code
