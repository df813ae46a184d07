"""Saves the entries of a journal's file, in whatever state it is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Final

from msgspec import Struct

from flux2build.ledger.codec import entry_from_json
from flux2build.ledger.entries import Entry, Foreign
from flux2build.ledger.lines import decoded

_LINE: Final = rb'[0-9a-f]{8} \{"kind":'
_BLANKS: Final = b" \t\r\n\xef\xbb\xbf"
_ENCODINGS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Salvage(Struct, frozen=True):
    """The intact lines of a journal."""

    entries: tuple[Entry, ...] = ()
    lines: tuple[bytes, ...] = ()
    """The line of each entry, without its end."""
    data: bytes | None = b""
    """The content of the file; None if the path is not a file."""
    complete: bool = True
    """Whether there are only blanks beside the lines."""

    @property
    def newer(self) -> bool:
        """Whether there are entries that only a newer flux2build understands."""
        return any(isinstance(entry, Foreign) for entry in self.entries)


def saved(data: bytes) -> Salvage:
    """The entries that can be saved from the bytes of a journal."""
    pairs, rest = list[tuple[Entry, bytes]](), b""
    for text in _pieces(data):
        line, sound = text.strip(_BLANKS), None
        if line and (json := decoded(line)) is not None:
            with suppress(ValueError):
                sound = entry_from_json(json)
        if sound is None:
            rest += line
        else:
            pairs.append((sound, line))
    return Salvage(
        tuple(entry for entry, _ in pairs), tuple(line for _, line in pairs), data, not rest
    )


def _pieces(data: bytes) -> Iterator[bytes]:
    """The bytes, cut before every text that begins like a line of a journal."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            data = data.decode(encoding, "replace").encode()
            break
    starts = [0, *(match.start() for match in re.finditer(_LINE, data)), len(data)]
    yield from (data[start:end] for start, end in pairwise(starts))
