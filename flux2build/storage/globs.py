"""Patterns of paths: `content/**/*.{md,mdx}` stands for every file that matches it.

`*` stands for any part of a name, a part `**` for any folders or none, and `{a,b}` for one of
several texts. Brackets mean nothing, because sites name folders `[slug]`. Names that start with a dot
are left out, and so are folders that hold others' files.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final

from flux2build.errors import SpecError
from flux2build.storage import paths
from flux2build.storage.project_files import Kind, ProjectFiles

_CHOICE: Final = r"\{([^{}/]*,[^{}/]*)\}"
_DEEPEST: Final = 32
_MOST: Final = 200_000
"""The most names that are looked at for one pattern."""
_MOST_CHOICES: Final = 64


def is_pattern(path: str) -> bool:
    """Whether a path stands for several files."""
    return "*" in path or ("{" in path and re.search(_CHOICE, path) is not None)


def matching(files: ProjectFiles, pattern: str) -> list[str]:
    """The files that match a pattern, sorted.

    Raises:
        SpecError: it would take too long to find them.
    """
    search = _Search(files, pattern)
    parts = [part for part, _ in itertools.groupby(paths.join("", pattern).split("/"))]
    return sorted({*search.below("", parts)})


class _Search:
    """The search for the files of one pattern."""

    def __init__(self, files: ProjectFiles, pattern: str) -> None:
        self._files, self._pattern, self._looked = files, pattern, 0

    def below(self, folder: str, parts: Sequence[str], depth: int = 0) -> Iterator[str]:
        """The files below a folder that match the parts of a pattern."""
        head, rest = parts[0], parts[1:]
        if depth > _DEEPEST:
            return
        if head == "**":
            yield from self.below(folder, rest or ["*"], depth)
            for name, is_folder in self._entries(folder):
                if is_folder:
                    yield from self.below(paths.join(folder, name), parts, depth + 1)
        elif not is_pattern(head):
            yield from self._at(paths.join(folder, head), rest, depth)
        else:
            names = [name for name, _ in self._entries(folder)]
            for name in self._fitting(head, names):
                yield from self._at(paths.join(folder, name), rest, depth)

    def _at(self, path: str, rest: Sequence[str], depth: int) -> Iterator[str]:
        kind = self._files.kind(path)
        if rest and kind is Kind.FOLDER:
            yield from self.below(path, rest, depth + 1)
        elif not rest and kind is Kind.FILE:
            yield path

    def _entries(self, folder: str) -> Sequence[tuple[str, bool]]:
        entries = self._files.entries(folder or ".")
        self._looked += len(entries)
        if self._looked > _MOST:
            message = f"`{self._pattern}` looks through more than {_MOST:,} files"
            raise SpecError(message, hint="name a folder before the first `*`")
        return entries

    def _fitting(self, part: str, names: Sequence[str]) -> set[str]:
        """The names that match one part of a pattern."""
        pieces = [
            piece.split(",") if at % 2 else [piece]
            for at, piece in enumerate(re.split(_CHOICE, part))
        ]
        options = [
            "".join(each)
            for each in itertools.islice(itertools.product(*pieces), _MOST_CHOICES + 1)
        ]
        if len(options) > _MOST_CHOICES:
            raise SpecError(f"`{self._pattern}` has more than {_MOST_CHOICES} choices")
        # All but `*` is literal; names that the disk tells apart by case are told apart here.
        literal = (re.sub(r"[\[?]", r"[\g<0>]", option) for option in options)
        return {name for each in literal for name in names if fnmatch.fnmatchcase(name, each)}
