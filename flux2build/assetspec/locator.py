"""The places of all keys and values of a TOML file, for messages.

It is imported when the first place is asked for: a spec without mistakes never
needs one, and the parser takes as long to import as the rest of a check.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import tomli
import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from flux2build.model import Key

_KEYS: Final = frozenset({"bare_key", "quoted_key", "dotted_key"})
_TABLES: Final = frozenset({"table", "table_array_element"})
_HOLDERS: Final = _TABLES | {"document", "inline_table"}
_DEEPEST: Final = 100
_SIMPLE: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Span:
    """A token: line and column count from 1, in characters; its width on that line."""

    line: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class KeyLocation:
    """The places of a key's name and of its value."""

    name: Span
    value: Span


def locate(text: str) -> Mapping[Key, KeyLocation]:
    """Every key path of a TOML text, as far as it can be read, with its location."""
    tree = Parser(Language(tree_sitter_toml.language())).parse(text.encode())
    walk = _Walk(text.split("\n"))
    walk.inside((), tree.root_node)
    return walk.locations


class _Walk:
    """One pass over the syntax tree."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._elements: Counter[Key] = Counter()
        self.locations: dict[Key, KeyLocation] = {}

    def inside(self, key: Key, node: Node) -> None:
        """The keys of a document, a table or an inline table, and the elements of an array."""
        if len(key) > _DEEPEST:
            return
        if node.type == "array":
            for index, element in enumerate(_values(node)):
                span = self._span(element)
                self.locations.setdefault((*key, index), KeyLocation(span, span))
                self.inside((*key, index), element)
            return
        for child in node.children if node.type in _HOLDERS else ():
            if child.type == "pair":
                self._pair(key, child)
            elif child.type in _TABLES:
                self._table(child)

    def _table(self, node: Node) -> None:
        names = _names(node)
        if not names:
            return
        prefix = self._descend((), names[:-1])
        key, span = (*prefix, _text(names[-1])), self._span(names[-1])
        if node.type == "table_array_element":
            self.locations.setdefault(key, KeyLocation(span, span))
            key = (*key, self._elements[key])
            self._elements[key[:-1]] += 1
        self.locations[key] = KeyLocation(span, span)
        self.inside(key, node)

    def _pair(self, prefix: Key, node: Node) -> None:
        names, value = _names(node), next(_values(node), None)
        if not names or value is None:
            return
        key = (*self._descend(prefix, names[:-1]), _text(names[-1]))
        self.locations.setdefault(key, KeyLocation(self._span(names[-1]), self._span(value)))
        self.inside(key, value)

    def _descend(self, key: Key, names: list[Node]) -> Key:
        """The key after some names of a dotted key; an array of tables means its last element."""
        for name in names:
            key, span = (*key, _text(name)), self._span(name)
            self.locations.setdefault(key, KeyLocation(span, span))
            if count := self._elements[key]:
                key = (*key, count - 1)
        return key

    def _span(self, node: Node) -> Span:
        """The place of a node in characters; the grammar counts bytes."""
        (row, start), (last, end) = node.start_point, node.end_point
        line = self._lines[row].encode()
        column = len(line[:start].decode(errors="replace"))
        stop = len(line[:end].decode(errors="replace")) if row == last else len(self._lines[row])
        return Span(row + 1, column + 1, max(1, stop - column))


def _names(node: Node) -> list[Node]:
    """The parts of the dotted key that a pair or a header starts with; their nesting has no limit."""
    names, pending = [], [child for child in node.children if child.type in _KEYS][:1]
    while pending:
        part = pending.pop()
        if part.type == "dotted_key":
            pending.extend(child for child in reversed(part.children) if child.type in _KEYS)
        else:
            names.append(part)
    return names


def _text(node: Node) -> str:
    """The name of a key, without its quotes and escapes."""
    written = (node.text or b"").decode(errors="replace")
    if _SIMPLE.fullmatch(written):
        return written
    try:
        return next(iter(tomli.loads(f"{written} = 0")))
    except tomli.TOMLDecodeError:
        return written


def _values(node: Node) -> Iterator[Node]:
    """The value of a pair, or the elements of an array."""
    others = _KEYS | {"comment", "ERROR"}
    return (child for child in node.named_children if child.type not in others)
