"""A TOML file with the files it extends, merged, and where everything in it stands."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import tomli

from flux2build.assetspec.toml_errors import explained
from flux2build.errors import Place, Problem, SpecError
from flux2build.model import Key
from flux2build.storage import paths
from flux2build.storage.project_files import NOT_A_FILE, Kind, ProjectFiles
from flux2build.storage.text_files import read_text

if TYPE_CHECKING:
    from flux2build.assetspec.locator import KeyLocation

MOST_MIB: Final = 16
DEEPEST: Final = 64
MOST_FILES: Final = 64
_LARGEST_INTEGER: Final = 2**63 - 1


@dataclass(frozen=True)
class SpecFile:
    """One file as it was read."""

    file: str
    text: str

    @cached_property
    def locations(self) -> Mapping[Key, KeyLocation]:
        """Where its keys stand."""
        from flux2build.assetspec.locator import locate

        return locate(self.text)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def line(self, number: int) -> str | None:
        """A source line by its number from 1, for a caret frame."""
        known = 0 < number <= len(self._lines)
        return self._lines[number - 1].rstrip("\r") if known else None


@dataclass(frozen=True)
class SpecText:
    """The merged data, and the files it came from, the extended ones first."""

    file: str
    data: Mapping[str, object]
    texts: tuple[SpecFile, ...]

    def place(self, key: Key) -> Place:
        """Where a value stands; for a table with a header, its name in the header."""
        return self.point(key)[0]

    def point(self, key: Key, *, name: bool = False) -> tuple[Place, int]:
        """Where a value (or its key's name) stands, and how wide it is.

        What is not written anywhere stands where its nearest parent does. Of
        several files the last one that has the key counts: it decided.
        """
        for length in range(len(key), 0, -1):
            for text in reversed(self.texts):
                if location := text.locations.get(key[:length]):
                    span = location.name if name and length == len(key) else location.value
                    return Place(text.file, span.line, span.column), span.width
        return Place(self.file, 1, 1), 1

    def located(self, problem: Problem, key: Key, *, name: bool = False) -> Problem:
        """A problem at a value (or its key's name), with the source line."""
        place, width = self.point(key, name=name)
        return replace(problem, place=place, excerpt=self.excerpt(place), width=width)

    def excerpt(self, place: Place) -> str | None:
        """The source line that a place points at."""
        found = (text.line(place.line) for text in self.texts if text.file == place.file)
        return next(found, None)


def read(tree: ProjectFiles, file: str) -> SpecText:
    """A spec with everything it extends: bases first, tables merged, later values win.

    Raises:
        SpecError: a file is missing, too large, not UTF-8 or not TOML, or extends itself.
    """
    reader = _Loader(tree)
    data = reader.merged(file, ())
    return SpecText(file, data, tuple(reader.texts.values()))


class _Loader:
    """Reads each file once, however often it is extended."""

    def __init__(self, tree: ProjectFiles) -> None:
        self._tree = tree
        self._merged: dict[str, dict[str, object]] = {}
        self.texts: dict[str, SpecFile] = {}

    def merged(self, file: str, chain: tuple[str, ...]) -> dict[str, object]:
        if file not in self._merged:
            text = SpecFile(file, read_text(self._tree, file, MOST_MIB))
            own = _parsed(text)
            data: dict[str, object] = {}
            for base in self._bases(text, own, (*chain, file)):
                data = _laid_over(data, base)
            own.pop("extends", None)
            self._merged[file] = _laid_over(data, own)
            self.texts[file] = text
        return self._merged[file]

    def _bases(
        self, text: SpecFile, own: Mapping[str, object], chain: tuple[str, ...]
    ) -> Iterator[dict[str, object]]:
        names = own.get("extends", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise SpecError(_at(text, ("extends",), "`extends` must be a list of file names"))
        for index, name in enumerate(names):
            base = paths.join(posixpath.dirname(text.file), name)
            if fault := self._unfit(base, chain):
                raise SpecError(_at(text, ("extends", index), fault))
            yield self.merged(base, chain)

    def _unfit(self, base: str, chain: tuple[str, ...]) -> str | None:
        if base in chain:
            circle = (*chain[chain.index(base) :], base)
            return "files extend each other in a circle: " + " → ".join(circle)
        if (kind := self._tree.kind(base)) is not Kind.FILE:
            return f"`{base}` {NOT_A_FILE[kind]}"
        if len(chain) + len(self._merged) > MOST_FILES:
            return f"more than {MOST_FILES} files are extended"
        return None


def _at(text: SpecFile, key: Key, message: str) -> Problem:
    """A problem of a file that is not yet part of a text."""
    return SpecText(text.file, {}, (text,)).located(Problem(message), key)


def _parsed(text: SpecFile) -> dict[str, object]:
    try:
        data = tomli.loads(text.text)
    except tomli.TOMLDecodeError as fault:
        raise SpecError(_not_toml(text, fault)) from None
    except RecursionError:
        message = "keys, tables or arrays are nested too deeply"
        raise SpecError(Problem(message, Place(text.file))) from None
    except ValueError:
        raise SpecError(Problem("a number has too many digits", Place(text.file))) from None
    for key, message in _excesses(data):
        raise SpecError(_at(text, key, message))
    return data


def _not_toml(text: SpecFile, fault: tomli.TOMLDecodeError) -> Problem:
    line = text.line(fault.lineno) or ""
    hint = None
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>")):
        hint = "a merge left its conflict markers here: keep one side"
    found = explained(fault.msg, fault.lineno, fault.colno, text.text.split("\n"))
    place = Place(text.file, found.line, found.column)
    rows = (("first", str(Place(text.file, found.first))),) if found.first else ()
    return Problem(found.message, place, rows, hint, text.line(found.line), found.width)


def _excesses(data: Mapping[str, object]) -> Iterator[tuple[Key, str]]:
    """What TOML allows and no spec needs; walked without recursion, as it may be deep."""
    pending: list[tuple[Key, object]] = [((), data)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict | list):
            if len(key) > DEEPEST:
                yield key[:DEEPEST], f"tables and arrays are nested more than {DEEPEST} deep"
                return
            items = value.items() if isinstance(value, dict) else enumerate(value)
            pending.extend(((*key, name), item) for name, item in items)
        elif isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
            yield key, "a whole number must fit into 64 bits"
        elif isinstance(value, float) and not -1e308 <= value <= 1e308:
            yield key, "`inf` and `nan` mean nothing here"


def _laid_over(base: Mapping[str, object], top: Mapping[str, object]) -> dict[str, object]:
    """Tables merge, anything else is replaced; recursion is bounded by `DEEPEST`."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _laid_over(below, value)
        else:
            merged[key] = value
    return merged
