"""A lock that holds both sides of a merge without git's markers between them.

An editor's "accept both changes" and `merge=union` leave such a text: where the sides differ, our
lines stand before theirs, so that keys and headers occur twice. Because a lock is written in one
canonical form, the two sides can be separated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Final

from flux2build.lockfile.conflicts import Side

_KEY: Final = re.compile(
    r'((?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*")(?:\.(?:[A-Za-z0-9_-]+|"[^"]*"))*) = '
)
_SORT: Final = re.compile(r"\.(generated|review)\]$|\.(deliver|write|candidate)\.")
_COMPLETE: Final = frozenset({"schema =", "meta =", "take =", "at ="})
"""Keys of which each table has one, and not at its start."""
_NAMED: Final = re.compile(r'\s+"([^"]+) sha256:')
"""An input in a list, where each name occurs once."""


def split(text: str) -> tuple[Side, Side, int] | None:
    """Ours, theirs, and the line of the first row of theirs; None for a text without doubled rows."""
    lines = text.split("\n")
    kinds = [_kind(line) for line in lines]
    sides = _squares(lines, kinds)
    _repeated(kinds, sides)
    if "theirs" not in sides.values():
        return None
    ours, theirs = Side(), Side()
    for at, line in enumerate(lines):
        for side, other in ((ours, "theirs"), (theirs, "ours")):
            if sides.get(at) != other:
                side.lines.append(line)
                side.numbers.append(at + 1)
    return ours, theirs, min(at for at, whose in sides.items() if whose == "theirs") + 1


def _kind(line: str) -> str:
    """The kind of a line, without its value: the header, the key, or a piece of a list."""
    if line.startswith("[") or not line.strip() or line == "]":
        return line
    if key := _KEY.match(line):
        return f"{key[1]} ="
    named = _NAMED.match(line)
    return f"item {named[1]}" if named else "item"


def _squares(lines: Sequence[str], kinds: Sequence[str]) -> dict[int, str]:
    """The side of each line where a table starts twice: our lines, then as many of theirs."""
    sides: dict[int, str] = {}
    roles = [_role(kind) for kind in kinds]
    for first, second in _pairs(kinds, roles):
        width = second - first
        if first in sides or second in sides:
            continue
        start, end = first, first
        while start > 0 and start - 1 not in sides and roles[start - 1] == roles[start + width - 1]:
            start -= 1
        while end + width < len(roles) and roles[end] == roles[end + width]:
            end += 1
        while start < first and lines[start] == lines[start + width]:
            start += 1
        if end - start >= width:
            sides |= dict.fromkeys(range(start, start + width), "ours")
            sides |= dict.fromkeys(range(start + width, start + 2 * width), "theirs")
    return sides


def _pairs(kinds: Sequence[str], roles: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The lines of headers that occur twice, or of a table that ends before it is complete."""
    headers = [at for at, kind in enumerate(kinds) if kind.startswith("[")]
    first_lines: dict[str, int] = {}
    for number, (at, following) in enumerate(pairwise((*headers, len(kinds))), start=1):
        if (first := first_lines.setdefault(kinds[at], at)) != at:
            yield first, at
        elif not _COMPLETE & set(kinds[at:following]):
            alike = (later for later in headers[number:] if roles[later] == roles[at])
            yield from ((at, later) for later in islice(alike, 1))


def _role(kind: str) -> str:
    """The role of a line in any table; headers of one sort have the same role."""
    if not kind.startswith("["):
        return "item" if kind.startswith("item") else kind
    sort = _SORT.search(kind)
    return f"[{sort[1] or sort[2]}]" if sort else "[asset]"


def _repeated(kinds: Sequence[str], sides: dict[int, str]) -> None:
    """Note the keys that occur twice in one table, each with the lines of its list."""
    firsts: dict[str, list[int]] = {}
    at = 0
    while at < len(kinds):
        kind, end = kinds[at], at + 1
        if kind.startswith("["):
            firsts = {}
        elif kind.endswith("="):
            while end < len(kinds) and kinds[end].startswith(("item", "]")):
                if kinds[end] == kinds[end - 1] != "item" and end not in sides:
                    sides |= {end - 1: "ours", end: "theirs"}
                end += 1
            own = [n for n in range(at, end) if n not in sides]
            if own and kind in firsts:
                sides |= dict.fromkeys(firsts[kind], "ours") | dict.fromkeys(own, "theirs")
            elif own:
                firsts[kind] = own
        at = end
