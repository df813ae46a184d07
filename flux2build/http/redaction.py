"""Keeps the key, and what is as good as a key, out of every text."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from flux2build.errors import Problem, SystemFault

_MASK: Final = "***"
_QUERY: Final = re.compile(r"(https?://[^\s?#\"'<>]*)\?[^\s\"'<>]*", re.IGNORECASE)
_USER: Final = re.compile(r"(https?://)[^\s/@\"'<>]+@", re.IGNORECASE)
_SHORTEST: Final = 4
"""A key of fewer characters would mask ordinary words."""


class Key:
    """A key that cannot be printed by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str, variable: str = "the key") -> None:
        """Take a key as it was read; surrounding space is not part of it.

        Raises:
            SystemFault: it cannot stand in a header.
        """
        self._value = value.strip()
        if not self._value or not self._value.isascii() or not self._value.isprintable():
            raise SystemFault(
                Problem(
                    f"`{variable}` does not hold a key",
                    hint="a key is one line of plain ASCII characters",
                )
            )

    def __repr__(self) -> str:
        return f"Key({_MASK})"

    def reveal(self) -> str:
        """The key itself, for the one place that attaches it."""
        return self._value

    def _forms(self) -> Iterator[str]:
        yield self._value
        yield quote(self._value, safe="")
        yield base64.b64encode(self._value.encode()).decode().rstrip("=")

    def masked(self, text: str) -> str:
        """A text without this key in any of its forms."""
        for form in self._forms():
            if len(form) >= _SHORTEST:
                text = text.replace(form, _MASK)
        return text


def redacted(text: str, key: Key | None = None) -> str:
    """A text for people and logs: no key, no signed query, no user in a URL."""
    text = _USER.sub(r"\1", _QUERY.sub(r"\1?…", text))
    return key.masked(text) if key else text
