"""A TOML file that people write: its text, and the places of its keys and values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from flux2build.errors import Place, Problem
from flux2build.model import Key

if TYPE_CHECKING:
    from flux2build.storage.toml_places import KeyLocation


class TomlFile(Struct, frozen=True, dict=True):
    """The text of one TOML file."""

    name: str
    """Its path, as messages have it."""
    text: str
    secret: bool = False
    """Whether its lines may hold a key, so that no message shows them."""

    @cached_property
    def locations(self) -> Mapping[Key, KeyLocation]:
        """The places of its keys."""
        from flux2build.storage.toml_places import locate

        return locate(self.text)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def line(self, number: int) -> str | None:
        """A source line by its number from 1, for a caret frame; None if it is not to be shown."""
        known = not self.secret and 0 < number <= len(self._lines)
        return self._lines[number - 1] if known else None

    def point(self, key: Key, *, name: bool = False) -> tuple[Place, int] | None:
        """The place of a value (or the name of its key), and its width; None if not written."""
        if (location := self.locations.get(key)) is None:
            return None
        span = location.name if name else location.value
        return Place(self.name, span.line, span.column), span.width

    def located(self, problem: Problem, key: Key, *, name: bool = False) -> Problem:
        """A problem at a value (or the name of its key), with the source line.

        A key that is not written anywhere has the place of its nearest parent.
        """
        for length in range(len(key), 0, -1):
            if point := self.point(key[:length], name=name and length == len(key)):
                place, width = point
                return replace(problem, place=place, excerpt=self.line(place.line), width=width)
        return replace(problem, place=Place(self.name, 1, 1))
