"""Text files: their bytes as text, or what keeps them from being read."""

from __future__ import annotations

import re

from flux2build.errors import Place, Problem, SpecError
from flux2build.storage.project_files import NOT_A_FILE, Kind, ProjectFiles

_DIGITS = re.compile("(?<![0-9_])[0-9_]{5000}")
_MEBIBYTE = 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_text(files: ProjectFiles, file: str, most: int, noun: str = "") -> str:
    """The text of a project's file of at most so many MiB; messages call it by the noun.

    Raises:
        SpecError: there is no such file, it is too large, or it is not UTF-8.
    """
    if (kind := files.kind(file)) is not Kind.FILE:
        raise SpecError(f"{noun} `{file}` {NOT_A_FILE[kind]}".lstrip())
    data = files.read(file)
    if len(data) > most * _MEBIBYTE:
        message = f"the {noun or 'file'} is {len(data):,} bytes; {most} MiB is the most"
        raise SpecError(Problem(message, Place(file)))
    return decoded(data, file)


def decoded(data: bytes, file: str) -> str:
    """The text of a file, without a byte order mark.

    Raises:
        SpecError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder counts from behind a byte order mark, as people do.
        raise SpecError(not_utf8(data.removeprefix(_BYTE_ORDER_MARK), error.start, file)) from None


def not_utf8(data: bytes, at: int, file: str) -> Problem:
    """The problem of a byte that is not UTF-8, with its place and its line."""
    start = data.rfind(b"\n", 0, at) + 1
    line, _, _ = data[start:].partition(b"\n")
    before = data[start:at].decode(errors="replace")
    return Problem(
        f"byte 0x{data[at]:02x} is not UTF-8",
        Place(file, data.count(b"\n", 0, at) + 1, len(before) + 1),
        hint="save the file as UTF-8",
        excerpt=line.decode(errors="replace").rstrip("\r"),
    )


def refuse_endless(text: str) -> None:
    """Refuse more digits in a row than Python reads; a parser of TOML takes 100 bytes for each.

    Raises:
        ValueError: there are such digits.
    """
    if _DIGITS.search(text):
        raise ValueError("a number has too many digits")
