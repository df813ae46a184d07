"""A lock whose blocks are read when they are needed."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, pairwise
from operator import itemgetter
from typing import Final

from flux2build.lockfile.block import Block, Lockfile
from flux2build.lockfile.read import loads, read_carefully
from flux2build.lockfile.write import block_lines, dumps
from flux2build.model import AssetName

Key = tuple[AssetName, str]
Spans = Mapping[Key, tuple[int, int]]
"""Where the text of each block starts and ends, in bytes."""

_FEW: Final = 500
"""The number of blocks from which on all are read at once."""
_HANDFUL: Final = 40
"""Up to this number, careful reading takes less time than compiling the quick patterns."""
_NAME: Final = rb'(?:[A-Za-z0-9_-]+|"[^"\\\n]*")'
_REVIEW: Final = b".review]"
_HEADER: Final = rb"(?m)^\[asset\.(%b)\.(%b)([\].])" % (_NAME, _NAME)


def spans(text: bytes, lock: Lockfile | None = None) -> Spans | None:
    """Find the blocks in the text of a lock; None if they cannot be separated, or are others."""
    starts: dict[Key, int] = {}
    newest: Key | None = None
    for match in re.finditer(_HEADER, text):
        asset, profile = (part.strip(b'"').decode() for part in match.groups()[:2])
        key = AssetName(asset), profile
        if match[3] == b"]" and key not in starts:
            starts[key], newest = match.start(), key
        elif key != newest or match[3] == b"]":
            return None
    if lock is not None and starts.keys() != lock.blocks.keys():
        return None
    bounds = pairwise([*starts.values(), len(text)])
    return dict(zip(starts, bounds, strict=True))


class Parts(Mapping[Key, Block]):
    """The blocks of a lock, from its text and the place of each block; some may be replaced.

    A text is `canonical` if it is known to equal the written text of all blocks.
    """

    def __init__(
        self,
        text: bytes,
        file: str,
        places: Spans,
        replaced: Mapping[Key, Block] | None = None,
        *,
        canonical: bool = False,
    ) -> None:
        self.text, self.places, self.canonical = text, places, canonical
        self.file, self._replaced = file, dict(replaced or {})
        self._read: dict[Key, Block] = {}
        self.expected = 0
        """How many blocks will be asked for, if that is known."""

    def __getitem__(self, key: Key) -> Block:
        """The block of an asset and a profile."""
        if key in self._replaced:
            return self._replaced[key]
        if key not in self._read:
            if len(self._read) == _FEW:
                self._read.update(loads(self.text.decode(), self.file).blocks)
                return self._read[key]
            start, end = self.places[key]
            block_text = self.text[start:end]
            if block_text.endswith(b"\n\n"):  # an empty line before the next block
                block_text = block_text[:-1]
            part = self.text[: self._top] + block_text
            ((name, block),) = self._reader(part.decode(), self.file).blocks.items()
            if name != key:  # pragma: no cover - the places come from this text
                raise AssertionError(key)
            self._read[key] = block
        return self._read[key]

    @property
    def head(self) -> Lockfile:
        """The lock without its blocks."""
        return self._reader(self.text[: self._top].decode(), self.file)

    @property
    def _reader(self) -> Callable[[str, str], Lockfile]:
        """What reads one more block."""
        return read_carefully if max(len(self._read), self.expected) < _HANDFUL else loads

    @cached_property
    def _top(self) -> int:
        first, _ = next(iter(self.places.values()), (len(self.text), 0))
        return first

    def __iter__(self) -> Iterator[Key]:
        """The asset and the profile of every block."""
        return chain(self.places, self._added)

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self.places) + len(self._added)

    @cached_property
    def _added(self) -> frozenset[Key]:
        """The asset and the profile of each block that the text does not have."""
        return frozenset(self._replaced.keys() - self.places.keys())

    def __eq__(self, other: object) -> bool:
        """Whether the blocks are the same; of one text, only replaced ones can differ."""
        if isinstance(other, Parts) and other.text is self.text:
            keys = self._replaced.keys() | other._replaced.keys()
            return all(self.get(key) == other.get(key) for key in keys)
        return isinstance(other, Mapping) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment] # as of any mapping

    def reviewed(self) -> Iterator[Block]:
        """The blocks that have a decision, and perhaps others, if the text is canonical."""
        keys = {*self._replaced}
        starts = sorted((start, key) for key, (start, _) in self.places.items())
        at = self.text.find(_REVIEW)
        while at >= 0:
            keys.add(starts[bisect_left(starts, at, key=itemgetter(0)) - 1][1])
            at = self.text.find(_REVIEW, at + 1)
        return (self[key] for key in keys)

    def replacing(self, blocks: Mapping[Key, Block]) -> Parts:
        """Return these blocks with some replaced or added."""
        replaced = {**self._replaced, **blocks}
        return Parts(self.text, self.file, self.places, replaced, canonical=self.canonical)

    @cached_property
    def patched(self) -> Parts:
        """The same blocks with a text of their own, if this text is canonical."""
        size, pieces, starts = len(self.text), list[bytes | memoryview](), dict[Key, int]()
        text = memoryview(self.text)  # most of the text stays the same
        end, shift, shifts = 0, 0, list[tuple[int, int]]()
        for start, stop, key in self._edits():
            piece = text_of_block(self._replaced[key])
            pieces.append(text[end:start])
            if end < start == size:  # the last block has no empty line after it
                pieces.append(b"\n")
                shift += 1
            pieces.append(piece)
            starts[key], end = start + shift, stop
            shift += len(piece) - (stop - start)
            shifts.append((stop, shift))
        if end == size and pieces:
            pieces[-1] = pieces[-1][:-1]
        patched = b"".join([*pieces, text[end:]])
        return Parts(patched, self.file, self._moved(starts, shifts, len(patched)), canonical=True)

    def _edits(self) -> Sequence[tuple[int, int, Key]]:
        """The ranges of the text that change, and the block that replaces each of them."""
        keys = [*self.places] if self._added else []
        edits = [(*self.places[key], key) for key in self._replaced.keys() - self._added]
        for key in self._added:
            following = bisect_left(keys, key)
            at = self.places[keys[following]][0] if following < len(keys) else len(self.text)
            edits.append((at, at, key))
        return sorted(edits)

    def _moved(
        self, starts: Mapping[Key, int], shifts: Sequence[tuple[int, int]], size: int
    ) -> Spans:
        """The places of blocks: some are new, others are shifted by changes before them."""
        if not self._added and not any(by for _, by in shifts):
            return self.places
        before = [start for start, _ in self.places.values()]
        cuts = [0, *(bisect_left(before, end) for end, _ in shifts), len(before)]
        by = [0, *(by for _, by in shifts)]
        now = [at + by[n] for n, part in enumerate(pairwise(cuts)) for at in before[slice(*part)]]
        moved = {**dict(zip(self.places, now, strict=True)), **starts}
        ordered = {key: moved[key] for key in sorted(moved)} if self._added else moved
        return dict(zip(ordered, pairwise([*ordered.values(), size]), strict=True))


def text_of_block(block: Block) -> bytes:
    """Return the text of a block, from its header to that of the next block."""
    _, *lines = block_lines(block)
    return "\n".join([*lines, "\n"]).encode()


def text_of(lock: Lockfile) -> bytes:
    """Return the text of a lock; blocks that have not changed keep the text they were read from."""
    blocks = lock.blocks
    if isinstance(blocks, Parts) and blocks.canonical:
        return blocks.patched.text
    return dumps(lock).encode()
