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
    own = folder / FOLDER
    try:
        data = regular.read(own / name, None)
        if data[8:_HEAD] != _seal(str(own)) or zlib.crc32(data[8:]) != int.from_bytes(
            data[:8], "big"
        ):
            return None
        return marshal.loads(memoryview(data)[_HEAD:])  # noqa: S302 - sealed, see above
    except (OSError, ValueError, EOFError, TypeError):
        return None


def keep(folder: Path, name: str, value: object) -> None:
    """Keep a value; a disk that cannot be written to is left alone.

    Raises:
        ValueError: it holds something beside plain data.
    """
    body = marshal.dumps(value)  # type: ignore[arg-type] # it says so
    try:
        own = Path(own_folder(str(folder)))
        body = _seal(str(own)) + body
        swap(str(own / name), zlib.crc32(body).to_bytes(8, "big") + body)
    except OSError:
        return


def _seal(own: str) -> bytes:
    """The stamp of a folder, and of the code that runs, in bytes."""
    code = zlib.crc32(EDITION.encode()).to_bytes(4, "big")
    return b"".join(number.to_bytes(8, "big") for number in stamp(own)) + code
