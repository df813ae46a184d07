"""How much a spec may ask for: the work of resolving its members, files and operations."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flux2build.assetspec.faults import Fault, Faults, TooManyError
from flux2build.model import Key

MOST: Final = 10_000_000
"""The work that is left undone where a spec asks for more, in microseconds or so."""
MEMBER: Final = 75
"""The work for one picture; that for 100,000 of one spec, each with five references and tags, is allowed."""
FILE: Final = 60
PART: Final = 5
"""The work for one operation of a file, or one reference or tag of a member."""


class Quota(Struct):
    """The work that a spec may still ask for."""

    faults: Faults
    left: int = MOST

    def take(self, work: int, key: Key) -> None:
        """Counts work before it is done.

        Raises:
            TooManyError: it is too much, and reading the spec ends here.
        """
        if work > self.left:
            hint = "split the spec into several, or leave values out"
            self.faults.add(Fault(key, "the spec asks for too many pictures and files", hint))
            raise TooManyError
        self.left -= work
