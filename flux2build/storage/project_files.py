"""What reading the user's files looks like to the pure core."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol


class Kind(StrEnum):
    """What lies at a path."""

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
"""What messages say of a path that is not a file to read."""


class ProjectFiles(Protocol):
    """The files of a project; paths are POSIX, from the spec's folder (`../shared/logo.png`)."""

    def kind(self, path: str) -> Kind:
        """What lies at a path, links followed."""

    def read(self, path: str) -> bytes:
        """The bytes of a `Kind.FILE`.

        Raises:
            SpecError: there is no readable file at the path.
        """
