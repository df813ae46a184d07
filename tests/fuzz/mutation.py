"""Mutations: odd inputs made of good ones, the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# fmt: off
_NUMBERS: Final = (
    b"0", b"-1", b"1", b"255", b"65536", b"4294967296", b"9223372036854775808", b"1e309", b"1e-999",
    b"nan", b"-inf", b"9" * 400, b"9" * 5000, b"0x1F", b"1_0", b"\xd9\xa3",
)
_BYTES: Final = (
    b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\r\n", b"\n\n", b"\x1b[31m",
    b"\xe2\x80\xae", b'"', b"'", b"[" * 3000, b"{" * 200, b'"""', b"\\u0000", b"\\ud800", b"..",
    b"/", b"a" * 5000, b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0",
)
# fmt: on


@dataclass(frozen=True)
class Mutation:
    """Makes odd inputs of good ones; some of its changes insert words."""

    chance: random.Random
    good: Sequence[bytes]
    words: Sequence[bytes]

    def mutant(self) -> bytes:
        """A good input with one to eight changes."""
        data = self.chance.choice(self.good)
        for _ in range(self.chance.choice((1, 1, 1, 2, 3, 8))):
            start, end = sorted(self.chance.randrange(len(data) + 1) for _ in range(2))
            end = min(end, start + self.chance.choice((1, 4, 40, 4000)))
            data = self.chance.choice(_CHANGES)(self, data, start, end)
        return data

    def bits(self, data: bytes, start: int, _end: int) -> bytes:
        """One or two bytes have another bit."""
        changed = bytes(byte ^ (1 << self.chance.randrange(8)) for byte in data[start : start + 2])
        return data[:start] + changed + data[start + 2 :]

    def gap(self, data: bytes, start: int, end: int) -> bytes:
        """A part is gone."""
        return data[:start] + data[end:]

    def twice(self, data: bytes, start: int, end: int) -> bytes:
        """A part is there twice."""
        return data[:end] + data[start:end] + data[end:]

    def word(self, data: bytes, start: int, end: int) -> bytes:
        """A word stands before a part, or instead of it."""
        rest = self.chance.choice((start, end))
        return data[:start] + self.chance.choice(self.words) + data[rest:]

    def cut(self, data: bytes, start: int, _end: int) -> bytes:
        """The end is gone."""
        return data[:start]

    def spliced(self, data: bytes, start: int, _end: int) -> bytes:
        """The end is that of another input."""
        other = self.chance.choice(self.good)
        return data[:start] + other[self.chance.randrange(len(other) + 1) :]

    def shuffled(self, data: bytes, _start: int, _end: int) -> bytes:
        """Some of the lines, in another order."""
        lines = data.split(b"\n")
        self.chance.shuffle(lines)
        return b"\n".join(lines[: self.chance.randrange(len(lines) + 1)])

    def value(self, data: bytes, start: int, _end: int) -> bytes:
        """The text after a `=` or `:` is replaced by another word."""
        at = data.find(b"=", start) + 1 or data.find(b":", start) + 1
        stop = data.find(b"\n", at)
        rest = data[stop:] if stop >= 0 else b""
        return data[:at] + b" " + self.chance.choice(self.words) + rest if at else data


_CHANGES: Final = (
    Mutation.bits,
    Mutation.gap,
    Mutation.twice,
    Mutation.word,
    Mutation.word,
    Mutation.cut,
    Mutation.spliced,
    Mutation.shuffled,
    Mutation.value,
    Mutation.value,
)


def mutants(
    good: Sequence[bytes], words: Sequence[bytes], count: int, seed: int
) -> Iterator[bytes]:
    """Make this many odd inputs of good ones and words."""
    mutation = Mutation(random.Random(seed), good, (*words, *_NUMBERS, *_BYTES))
    for _ in range(count):
        yield mutation.mutant()
