"""The lines of the journal: their encoding, and the lines that a crash may have torn."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from flux2build.ledger.codec import entry_to_json
from flux2build.ledger.entries import Entry

MISFIT: Final = "its checksum does not fit"
"""The problem of a line that has changed since it was written."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""The bytes that an editor may put before the first line."""

_RANGES: Final = 8

_BEGINNING: Final = b'{"kind":'
"""The start of each entry's JSON; it occurs nowhere else within an entry."""


def encoded(entry: Entry) -> bytes:
    """An entry as a line of the journal."""
    text = entry_to_json(entry).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decoded(line: bytes) -> str | None:
    """The JSON of a line, without its end; empty for a blank line, None for a wrong checksum."""
    if not (line := line.rstrip(b"\r")):
        return ""
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    return text.decode("utf-8", "replace")


def suspects(first: int, lines: list[bytes]) -> Iterator[tuple[int, str]]:
    """The bad lines at the end of a journal, numbered; none if a crash may have torn them."""
    if not all(map(_torn, lines[:-1])) or any(line.count(_BEGINNING) > 1 for line in lines):
        whole = lines if lines[-1] else lines[:-1]
        yield from ((number, MISFIT) for number, _ in enumerate(whole, first))


def _torn(line: bytes) -> bool:
    """Whether a power cut may have left a line, with zeros where bytes were lost.

    Text in another encoding has zeros too, but nothing is missing from it.
    """
    return b"\0" in line and not decoded(line.replace(b"\0", b""))


def ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers as text: `2, 5-9`; only the first few ranges."""
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), key=lambda each: each[1] - each[0])
    ]
    named = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return ", ".join(named[:_RANGES]) + ", …" * (len(named) > _RANGES)
