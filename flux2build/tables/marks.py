"""The marks beside a type in the declaration of a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from flux2build.digest import Json


class Field(Struct, frozen=True, eq=False):
    """A key's default, description and bounds."""

    default: Any = ...
    """`...` for a key that must be there."""
    description: str | Callable[[], str] | None = None
    bounds: Mapping[str, Any] = {}


class After(Struct, frozen=True):
    """Checks a value of the right type, or replaces it; raises ValueError if it is wrong."""

    function: Callable[[Any], Any]


class Before(Struct, frozen=True):
    """Converts a written value before its type is checked."""

    function: Callable[[Any], Any]


class Expected(Struct, frozen=True):
    """Says what a value should be, in this program's words instead of pydantic's."""

    what: str


class OneOf(Struct, frozen=True):
    """Says what the values of a union may be, if each branch is another kind of TOML value."""

    kinds: str


class Among(Struct, frozen=True):
    """A text that is one of some choices, which are looked up when a value is checked."""

    choices: Callable[[], Sequence[str]]


class Schema(Struct, frozen=True, eq=False):
    """The JSON Schema of a type."""

    schema: Mapping[str, Json]
