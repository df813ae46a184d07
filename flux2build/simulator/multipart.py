"""The file in a multipart body, as upload clients send it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)"?')
_NAME: Final = re.compile(rb'\bname="([^"]*)"')
_FILE_NAME: Final = re.compile(rb'filename="([^"]*)"')
_TYPE: Final = re.compile(rb"content-type:\s*([^\r\n;]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file."""

    name: str
    media_type: str
    data: bytes


def file_in(body: bytes, content_type: str) -> Upload | None:
    """The part that is called `content`; None when there is none."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return None
    for part in body.split(b"--" + boundary[1].encode()):
        head, gap, content = part.partition(b"\r\n\r\n")
        field = _NAME.search(head)
        if gap and field and field[1] == b"content":
            return Upload(
                _first(_FILE_NAME, head, "file"),
                _first(_TYPE, head, "application/octet-stream"),
                content.removesuffix(b"\r\n"),
            )
    return None


def _first(pattern: re.Pattern[bytes], head: bytes, otherwise: str) -> str:
    found = pattern.search(head)
    return found[1].decode("utf-8", "replace").strip() if found else otherwise
