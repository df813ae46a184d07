"""What reading the user's files looks like to the pure core."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What lies at a path."""

    FILE = "file"
    FOLDER = "folder"
    MISSING = "missing"
    OUTSIDE = "outside"
    """Outside the project root, directly or through a symbolic link."""
    SPECIAL = "special"
    """A device, a socket, a FIFO: never read."""


class ProjectFiles(Protocol):
    """The files of a project; paths are POSIX, from the spec's folder (`../shared/logo.png`)."""

    def kind(self, path: str) -> Kind:
        """What lies at a path, links followed."""

    def read(self, path: str) -> bytes:
        """The bytes of a `Kind.FILE`.

        Raises:
            SpecError: there is no readable file at the path.
        """
