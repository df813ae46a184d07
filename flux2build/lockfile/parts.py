"""A lock of which each block is read when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Final

from flux2build.lockfile.block import Block, Lockfile
from flux2build.lockfile.read import loads
from flux2build.model import AssetName

Key = tuple[AssetName, str]
Spans = Mapping[Key, tuple[int, int]]
"""Where the text of each block starts and ends, in bytes."""

_NAME: Final = rb'(?:[A-Za-z0-9_-]+|"[^"\\\n]*")'
_HEADER: Final = re.compile(rb"^\[asset\.(%b)\.(%b)([\].])" % (_NAME, _NAME), re.MULTILINE)


def spans(text: bytes, lock: Lockfile) -> Spans | None:
    """Find the blocks in the text of a lock; None if they do not stand by themselves."""
    starts: dict[Key, int] = {}
    newest: Key | None = None
    for match in _HEADER.finditer(text):
        asset, profile = (part.strip(b'"').decode() for part in match.groups()[:2])
        key = AssetName(asset), profile
        if match[3] == b"]" and key not in starts:
            starts[key], newest = match.start(), key
        elif key != newest or match[3] == b"]":
            return None
    if starts.keys() != lock.blocks.keys():
        return None
    bounds = pairwise([*starts.values(), len(text)])
    return dict(zip(starts, bounds, strict=True))


class Parts(Mapping[Key, Block]):
    """The blocks of a lock, given its text and where each stands in it."""

    def __init__(self, text: bytes, file: str, places: Spans) -> None:
        self._text, self._file, self._places = text, file, places
        self._read: dict[Key, Block] = {}

    def __getitem__(self, key: Key) -> Block:
        """The block of an asset and a profile."""
        if key not in self._read:
            start, end = self._places[key]
            part = self._text[: self._top] + self._text[start:end]
            ((found, block),) = loads(part.decode(), self._file).blocks.items()
            if found != key:  # pragma: no cover - the places are those of this very text
                raise AssertionError(key)
            self._read[key] = block
        return self._read[key]

    @cached_property
    def _top(self) -> int:
        return min((start for start, _ in self._places.values()), default=len(self._text))

    def __iter__(self) -> Iterator[Key]:
        """The asset and the profile of every block."""
        return iter(self._places)

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self._places)
