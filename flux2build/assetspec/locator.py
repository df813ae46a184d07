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
    return _Walk(text.split("\n")).locations(tree.root_node)


class _Walk:
    """One pass over the syntax tree."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._locations: dict[Key, KeyLocation] = {}
        self._elements: Counter[Key] = Counter()

    def locations(self, root: Node) -> dict[Key, KeyLocation]:
        for node in root.children:
            if node.type == "pair":
                self._pair((), node)
            elif node.type in _TABLES:
                self._table(node)
        return self._locations

    def _table(self, node: Node) -> None:
        names = _names(node)
        prefix = self._descend((), names[:-1])
        if not names:
            return
        key, span = self._step(prefix, names[-1])
        if node.type == "table_array_element":
            self._locations.setdefault(key, KeyLocation(span, span))
            key = (*key, self._elements[key])
            self._elements[key[:-1]] += 1
        self._locations[key] = KeyLocation(span, span)
        for child in node.children:
            if child.type == "pair":
                self._pair(key, child)

    def _pair(self, prefix: Key, node: Node) -> None:
        names, value = _names(node), _value(node)
        if not names or value is None:
            return
        key, span = self._step(self._descend(prefix, names[:-1]), names[-1])
        self._locations.setdefault(key, KeyLocation(span, self._span(value)))
        self._inside(key, value)

    def _inside(self, key: Key, value: Node) -> None:
        """The keys of an inline table, the elements of an array."""
        if len(key) > _DEEPEST:
            return
        if value.type == "inline_table":
            for child in value.children:
                if child.type == "pair":
                    self._pair(key, child)
        elif value.type == "array":
            elements = (n for n in value.named_children if n.type not in {"comment", "ERROR"})
            for index, element in enumerate(elements):
                span = self._span(element)
                self._locations.setdefault((*key, index), KeyLocation(span, span))
                self._inside((*key, index), element)

    def _descend(self, key: Key, names: list[Node]) -> Key:
        """The key after some names of a dotted key; an array of tables means its last element."""
        for name in names:
            key, span = self._step(key, name)
            self._locations.setdefault(key, KeyLocation(span, span))
            if count := self._elements[key]:
                key = (*key, count - 1)
        return key

    def _step(self, key: Key, name: Node) -> tuple[Key, Span]:
        return (*key, _text(name)), self._span(name)

    def _span(self, node: Node) -> Span:
        """The place of a node in characters; the grammar counts bytes."""
        (row, start), (last, end) = node.start_point, node.end_point
        line = self._lines[row].encode()
        column = len(line[:start].decode(errors="replace"))
        stop = len(line[:end].decode(errors="replace")) if row == last else len(self._lines[row])
        return Span(row + 1, column + 1, max(1, stop - column))


def _names(node: Node) -> list[Node]:
    """The parts of the dotted key that a pair or a header starts with."""
    key = next((child for child in node.children if child.type in _KEYS), None)
    return list(_parts(key)) if key else []


def _parts(node: Node) -> Iterator[Node]:
    """The names of a dotted key, found without recursion: their nesting has no limit."""
    pending = [node]
    while pending:
        part = pending.pop()
        if part.type == "dotted_key":
            pending.extend(reversed([child for child in part.children if child.type in _KEYS]))
        else:
            yield part


def _text(node: Node) -> str:
    """The name of a key, without its quotes and escapes."""
    written = (node.text or b"").decode(errors="replace")
    if _SIMPLE.fullmatch(written):
        return written
    try:
        return next(iter(tomli.loads(f"{written} = 0")))
    except tomli.TOMLDecodeError:
        return written


def _value(node: Node) -> Node | None:
    after = [child for child in node.named_children if child.type not in _KEYS]
    return next((child for child in after if child.type not in {"comment", "ERROR"}), None)
