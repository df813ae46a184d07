"""Limits the size of a spec by the work of resolving its members, files and operations."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flux2build.assetspec.faults import Fault, Faults, TooManyError
from flux2build.model import Key

MOST: Final = 10_000_000
"""The most work that a spec may ask for, in units of about a microsecond."""
MEMBER: Final = 75
"""The work for one picture; 100,000 pictures with five references and tags each are allowed."""
FILE: Final = 60
PART: Final = 5
"""The work for one operation of a file, or one reference or tag of a member."""


class Quota(Struct):
    """The remaining work that a spec may ask for."""

    faults: Faults
    left: int = MOST

    def take(self, work: int, key: Key) -> None:
        """Counts work before it is done.

        Raises:
            TooManyError: it is too much.
        """
        if work > self.left:
            hint = "split the spec into several, or leave values out"
            self.faults.add(Fault(key, "the spec asks for too many pictures and files", hint))
            raise TooManyError
        self.left -= work
