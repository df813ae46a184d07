"""The places of all keys and values of a TOML file, for messages.

It is imported for the first place that is needed: a spec without mistakes needs none, and the
parser takes as long to import as the rest of a check.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Final

import tomli
from msgspec import Struct
from tree_sitter import Language, Node, Parser, Tree

from flux2build.model import Key

_KEYS: Final = frozenset({"bare_key", "quoted_key", "dotted_key"})
_TABLES: Final = frozenset({"table", "table_array_element"})
_NO_VALUES: Final = _KEYS | {"comment", "ERROR"}
_DEEPEST: Final = 100
_SIMPLE: Final = re.compile(r"[A-Za-z0-9_-]+")


class Span(Struct, frozen=True):
    """A token: line and column count from 1, in characters; its width on that line."""

    line: int
    column: int
    width: int


class KeyLocation(Struct, frozen=True):
    """The places of a key's name and of its value: bytes of the file, as most are never asked for."""

    data: bytes
    name_start: int
    name_end: int
    value_start: int
    value_end: int

    @property
    def name(self) -> Span:
        """The place of the name."""
        return _span(self.data, self.name_start, self.name_end)

    @property
    def value(self) -> Span:
        """The place of the value; for a table with a header, its name in the header."""
        return _span(self.data, self.value_start, self.value_end)


def locate(text: str) -> Mapping[Key, KeyLocation]:
    """Every key path of a TOML text, as far as it can be read, with its location."""
    data = text.encode()
    walk = _Walk(data, Parser(Language(_grammar())).parse(data))
    walk.document()
    return walk.locations


@cache
def _grammar() -> object:
    """The grammar of TOML, without its queries: for these its package imports several times as much."""
    package = PathFinder.find_spec("tree_sitter_toml")
    folders = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec("tree_sitter_toml._binding", folders)
    if spec is None or spec.loader is None:
        import tree_sitter_toml

        return tree_sitter_toml.language()
    binding = module_from_spec(spec)
    spec.loader.exec_module(binding)
    return binding.language()


class _Walk:
    """One pass over the syntax tree.

    A cursor visits it: nodes keep all their children once they are asked for them.
    """

    def __init__(self, data: bytes, tree: Tree) -> None:
        self._data, self._cursor = data, tree.walk()
        self._elements: Counter[Key] = Counter()
        self.locations: dict[Key, KeyLocation] = {}

    def document(self) -> None:
        """The tables of a document, and the keys before the first."""
        for child in self._children():
            if child.type == "pair":
                self._pair(())
            elif child.type in _TABLES:
                self._table(repeated=child.type == "table_array_element")

    def _children(self) -> Iterator[Node]:
        """The children of the node at the cursor, which stands at each in turn."""
        if self._cursor.goto_first_child():
            yield self._node
            while self._cursor.goto_next_sibling():
                yield self._node
            self._cursor.goto_parent()

    @property
    def _node(self) -> Node:
        node = self._cursor.node
        assert node is not None, "a cursor stands at a node"
        return node

    def _values(self) -> Iterator[Node]:
        return (each for each in self._children() if each.is_named and each.type not in _NO_VALUES)

    def _table(self, *, repeated: bool) -> None:
        """The keys below a header."""
        key: Key = ()
        for child in self._children():
            if child.type in _KEYS:
                key = self._header(_names(child), repeated=repeated)
            elif child.type == "pair" and key:
                self._pair(key)

    def _header(self, names: list[Node], *, repeated: bool) -> Key:
        prefix = self._descend((), names[:-1])
        key, location = (*prefix, _text(names[-1])), self._at(names[-1])
        if repeated:
            self.locations.setdefault(key, location)
            key = (*key, self._elements[key])
            self._elements[key[:-1]] += 1
        self.locations[key] = location
        return key

    def _pair(self, prefix: Key) -> None:
        names: list[Node] = []
        for child in self._children():
            if child.type in _KEYS and not names:
                names = _names(child)
            elif names and child.is_named and child.type not in _NO_VALUES:
                key = (*self._descend(prefix, names[:-1]), _text(names[-1]))
                self.locations.setdefault(key, self._at(names[-1], child))
                self._inside(key, child.type)
                names = []

    def _inside(self, key: Key, kind: str) -> None:
        """The keys of an inline table, or the elements of an array."""
        if len(key) > _DEEPEST:
            return
        if kind == "inline_table":
            for child in self._children():
                if child.type == "pair":
                    self._pair(key)
        elif kind == "array":
            for index, element in enumerate(self._values()):
                self.locations.setdefault((*key, index), self._at(element))
                self._inside((*key, index), element.type)

    def _descend(self, key: Key, names: list[Node]) -> Key:
        """The key after some names of a dotted key; an array of tables means its last element."""
        for name in names:
            key = (*key, _text(name))
            self.locations.setdefault(key, self._at(name))
            if count := self._elements[key]:
                key = (*key, count - 1)
        return key

    def _at(self, name: Node, value: Node | None = None) -> KeyLocation:
        value = value or name
        return KeyLocation(
            self._data, name.start_byte, name.end_byte, value.start_byte, value.end_byte
        )


def _span(data: bytes, start: int, end: int) -> Span:
    """The place of some bytes, up to the end of their first line."""
    before = data[data.rfind(b"\n", 0, start) + 1 : start].decode(errors="replace")
    token = data[start:end].partition(b"\n")[0].decode(errors="replace")
    return Span(data.count(b"\n", 0, start) + 1, len(before) + 1, max(1, len(token)))


def _names(node: Node) -> list[Node]:
    """The parts of a key, dotted or not; their nesting has no limit."""
    names, pending = [], [node]
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
