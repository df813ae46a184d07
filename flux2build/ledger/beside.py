"""Files beside the ledger that save reading it, and may be deleted at any time."""

from __future__ import annotations

import json
import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from flux2build.storage import durable, regular


def save(path: Path, head: object, body: bytes) -> None:
    """Write plain data and bytes for `load`; errors of the disk are ignored."""
    text = json.dumps(head).encode()
    data = len(text).to_bytes(4, "big") + text + body
    with suppress(OSError):
        temporary = path.with_name(f"{durable.TEMPORARY}{os.urandom(8).hex()}.tmp")
        try:
            temporary.touch(0o600, exist_ok=False)
            temporary.write_bytes(zlib.crc32(data).to_bytes(4, "big") + data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def load(path: Path) -> tuple[Any, bytes] | None:
    """The plain data and the bytes in a file; None if there is none, or it is damaged."""
    try:
        data = regular.read(path, None)
        if data[:4] != zlib.crc32(memoryview(data)[4:]).to_bytes(4, "big"):
            return None
        start = 8 + int.from_bytes(data[4:8], "big")
        return json.loads(data[8:start]), data[start:]
    except (OSError, ValueError):
        return None
