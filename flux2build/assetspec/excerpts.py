"""Excerpts of data files: after an edit, only the lines that differ are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from flux2build.storage.project_files import LARGEST, Kind, ProjectFiles

_MOST: Final = 200
"""From so many lines on that differ, all are read."""


def excerpts(before: str, now: str) -> tuple[str, str] | None:
    """Return the lines that differ in a file in which each line is a row, below its header.

    None if there are not the same lines otherwise, or too many of them differ.
    """
    lines, others = before.split("\n"), now.split("\n")
    if '"' in now or "\r" in now or lines[0] != others[0] or len(lines) != len(others):
        return None
    pairs = [pair for pair in zip(lines, others, strict=True) if pair[0] != pair[1]]
    if not pairs or len(pairs) > _MOST:
        return None
    return "\n".join([lines[0], *(was for was, _ in pairs)]), "\n".join(
        [lines[0], *(is_now for _, is_now in pairs)]
    )


class Excerpts(Struct):
    """The files of a project, some of them with other texts than on the disk."""

    tree: ProjectFiles
    texts: Mapping[str, str]

    def kind(self, path: str) -> Kind:
        """Return the kind of a path, links followed."""
        return self.tree.kind(path)

    def names(self, folder: str) -> Sequence[str]:
        """Return the names of what lies in a folder."""
        return self.tree.names(folder)

    def entries(self, folder: str) -> Sequence[tuple[str, bool]]:
        """Return the names in a folder, each with whether it is a folder itself."""
        return self.tree.entries(folder)

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """Return the text of an excerpt in bytes, or the bytes of a file."""
        text = self.texts.get(path)
        return self.tree.read(path, most) if text is None else text.encode()
