"""The interface through which the pure core reads the user's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, Protocol

MEBIBYTE: Final = 1024 * 1024
LARGEST: Final = 192 * MEBIBYTE
"""Most bytes of a file that a spec names: the largest picture that is decoded has fewer."""


class Kind(StrEnum):
    """The kind of a path."""

    FILE = "file"
    FOLDER = "folder"
    MISSING = "missing"
    OUTSIDE = "outside"
    """Outside the project root, directly or through a symbolic link."""
    SPECIAL = "special"
    """A device, a socket, a FIFO: never read."""


NOT_A_FILE: Final[Mapping[Kind, str]] = {
    Kind.FOLDER: "is a folder",
    Kind.MISSING: "does not exist",
    Kind.OUTSIDE: "lies outside the project",
    Kind.SPECIAL: "is not a regular file",
}
"""How messages describe a path that is not a readable file."""


def too_large(size: int, most: int) -> str:
    """The message about a file that is too large."""
    return f"it is {size:,} bytes; {most // MEBIBYTE} MiB is the most"


class ProjectFiles(Protocol):
    """The files of a project; paths are POSIX, from the spec's folder (`../shared/logo.png`)."""

    def kind(self, path: str) -> Kind:
        """Return the kind of a path, links followed."""

    def names(self, folder: str) -> Sequence[str]:
        """Return the sorted names in a folder, as the disk spells them."""

    def entries(self, folder: str) -> Sequence[tuple[str, bool]]:
        """Return the names in a folder, each with whether it is a folder itself, sorted.

        Hidden ones are left out, and folders that are links or hold others' files.
        """

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """Return the bytes of a `Kind.FILE`.

        Raises:
            SpecError: there is no readable file of at most so many bytes at the path.
        """
