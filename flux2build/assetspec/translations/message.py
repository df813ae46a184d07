"""The content of a catalogue: messages by key, each with its place in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from flux2build.errors import Place

Key = tuple[str, str | None]
"""A message's key, and its context if gettext has several messages with one key."""


class Message(Struct, frozen=True):
    """One translation; several forms when it depends on a number."""

    forms: tuple[str, ...]
    place: Place
    fuzzy: bool = False
    """Whether a translator has yet to confirm it after a change of the original."""

    @property
    def complete(self) -> bool:
        """Whether every form has been translated."""
        return bool(self.forms) and all(form.strip() for form in self.forms)


class Strings(Struct, frozen=True):
    """The content of one catalogue."""

    file: str
    messages: Mapping[Key, Message] = field(default_factory=dict)
    form: Callable[[int], int] = field(default=lambda _: 0)
    """The index of the form for a number; raises `ValueError` if the catalogue is unclear."""
    others: Mapping[str, str] = field(default_factory=dict)
    """The kinds of values that are not texts, such as `a list`, by their keys."""
