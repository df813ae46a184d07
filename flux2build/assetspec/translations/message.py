"""What a catalogue has: messages by key, each with where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flux2build.errors import Place

Key = tuple[str, str | None]
"""A message's key, and its context where gettext knows several of one key."""


def _only(_: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Message:
    """One translation; several forms when it depends on a number."""

    forms: tuple[str, ...]
    place: Place
    fuzzy: bool = False
    """A translator has not confirmed it since the original changed."""

    @property
    def complete(self) -> bool:
        """Whether there is something to say in every form."""
        return bool(self.forms) and all(form.strip() for form in self.forms)


@dataclass(frozen=True, slots=True)
class Strings:
    """A catalogue, read."""

    file: str
    messages: Mapping[Key, Message] = field(default_factory=dict)
    form: Callable[[int], int] = _only
    """Which form goes with a number."""
