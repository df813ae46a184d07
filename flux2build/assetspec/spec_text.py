"""A TOML file merged with the files that it extends, and the places of its values."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.errors import Place, Problem, SpecError
from flux2build.model import Key
from flux2build.storage import paths, toml_text
from flux2build.storage.project_files import MEBIBYTE, ProjectFiles
from flux2build.storage.text_files import MOST_WEIGHT, read_text, refuse_conflict, weight
from flux2build.storage.toml_file import TomlFile
from flux2build.storage.whereabouts import Absence, absence, foreign

MOST_MIB: Final = 8
DEEPEST: Final = 64
MOST_FILES: Final = 64
_LARGEST_INTEGER: Final = 2**63 - 1


class SpecText(Struct, frozen=True):
    """The merged data of a spec, with the files that it was read from."""

    file: str
    data: Mapping[str, object]
    files: tuple[TomlFile, ...]
    """Every file, each after those that it extends."""

    def place(self, key: Key) -> Place:
        """The place of a value; for a table with a header, the place of its name there."""
        return self.point(key)[0]

    def point(self, key: Key, *, name: bool = False) -> tuple[Place, int]:
        """The place of a value (or of the name of its key), and its width in columns.

        A key that is not written anywhere has the place of its nearest parent. If several files
        have the key, the last one counts, because its value is used.
        """
        for length in range(len(key), 0, -1):
            for file in reversed(self.files):
                if point := file.point(key[:length], name=name and length == len(key)):
                    return point
        return Place(self.file, 1, 1), 1

    def located(self, problem: Problem, key: Key, *, name: bool = False) -> Problem:
        """A problem at a value (or the name of its key), with the source line."""
        place, width = self.point(key, name=name)
        return replace(problem, place=place, excerpt=self.excerpt(place), width=width)

    def excerpt(self, place: Place) -> str | None:
        """The source line at a place."""
        lines = (file.line(place.line) for file in self.files if file.name == place.file)
        return next(lines, None)


def read(tree: ProjectFiles, file: str) -> SpecText:
    """A spec merged with everything that it extends: later values replace earlier ones.

    Raises:
        SpecError: a file is missing, too large, not UTF-8 or not TOML, or extends itself.
    """
    loader = _Loader(tree)
    data = loader.merged(file, ())
    return SpecText(file, data, tuple(loader.files.values()))


class _Loader:
    """Reads each file once, even if it is extended several times."""

    def __init__(self, tree: ProjectFiles) -> None:
        self._tree = tree
        self._merged: dict[str, dict[str, object]] = {}
        self._length = self._weight = 0
        self.files: dict[str, TomlFile] = {}

    def merged(self, name: str, chain: tuple[str, ...]) -> dict[str, object]:
        """The data of a file and its bases; `chain` are the files that extend it."""
        if name not in self._merged:
            file = self._read(name)
            own = parsed(file)
            data: dict[str, object] = {}
            for base in self._bases(file, own, (*chain, name)):
                data = _merged(data, base)
            own.pop("extends", None)
            self._merged[name] = _merged(data, own)
            self.files[name] = file
        return self._merged[name]

    def _read(self, name: str) -> TomlFile:
        """A file, if all files together are not too large."""
        file = TomlFile(name, read_text(self._tree, name, MOST_MIB))
        refuse_conflict(file.text, name)
        self._length += len(file.text)
        self._weight += weight(file.text)
        if self._length > MOST_MIB * MEBIBYTE:
            raise SpecError(
                Problem(f"the files of the spec have more than {MOST_MIB} MiB", Place(name))
            )
        if self._weight > MOST_WEIGHT:
            hint = "say with `matrix` or `rows` what differs between many assets"
            raise SpecError(
                Problem("the spec has too many keys and values", Place(name), hint=hint)
            )
        return file

    def _bases(
        self, file: TomlFile, own: Mapping[str, object], chain: tuple[str, ...]
    ) -> Iterator[dict[str, object]]:
        names = own.get("extends", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            problem = Problem("`extends` must be a list of file names")
            raise SpecError(file.located(problem, ("extends",)))
        for index, name in enumerate(names):
            base = paths.join(posixpath.dirname(file.name), name)
            if fault := foreign(self._tree, name) or self._unfit(base, chain):
                problem = Problem(fault[0], hint=fault[1])
                raise SpecError(file.located(problem, ("extends", index)))
            yield self.merged(base, chain)

    def _unfit(self, base: str, chain: tuple[str, ...]) -> Absence | None:
        if base in chain:
            circle = (*chain[chain.index(base) :], base)
            return "files extend each other in a circle: " + " → ".join(circle), None
        if len(chain) + len(self._merged) > MOST_FILES:
            return f"more than {MOST_FILES} files are extended", None
        return absence(self._tree, base)


def parsed(file: TomlFile) -> dict[str, object]:
    """The data of one TOML file; `SpecError` if it is not TOML, or has excessive values."""
    data = toml_text.parsed(file.text, file.name)
    for key, message in _excesses(data):
        raise SpecError(file.located(Problem(message), key))
    return data


def _excesses(data: Mapping[str, object]) -> Iterator[tuple[Key, str]]:
    """Values that TOML allows and no spec needs; found without recursion, as data may be deep."""
    pending: list[tuple[Key, Any]] = [((), data)]
    while pending:
        key, values = pending.pop()
        if len(key) > DEEPEST:
            yield key[:DEEPEST], f"tables and arrays are nested more than {DEEPEST} deep"
            return
        for name, value in values.items() if isinstance(values, dict) else enumerate(values):
            if isinstance(value, str):
                continue
            if isinstance(value, dict | list):
                pending.append(((*key, name), value))
            elif isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
                yield (*key, name), "a whole number must fit into 64 bits"
            elif isinstance(value, float) and not -1e308 <= value <= 1e308:
                yield (*key, name), "`inf` and `nan` mean nothing here"


def _merged(base: Mapping[str, object], top: Mapping[str, object]) -> dict[str, object]:
    """Two tables as one; recursion is bounded by `DEEPEST`."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged
