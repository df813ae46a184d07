"""Keeps the key, and everything equivalent to it, out of every text."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Final
from urllib.parse import quote, quote_plus

from flux2build.errors import SystemFault

_MASK: Final = "***"
_QUERY: Final = re.compile(r"(https?://[^\s?#\"'<>]*)\?[^\s\"'<>]*", re.IGNORECASE)
_USER: Final = re.compile(r"(https?://)[^\s/@\"'<>]+@", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")
_QUOTED: Final = r"""(["']).*\1"""
_SECRET: Final = 12
"""Fewest characters of a key that is treated as a secret; people practise with `test`."""

_SHORTEST: Final = 4
"""A key of fewer characters would mask ordinary words."""


_KEYS: Final[list[Key]] = []
"""Every key of this process, to be kept out of bug reports."""


class Key:
    """A key that cannot be printed by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str, variable: str = "the key") -> None:
        """Strip a key as it was read of surrounding space.

        Raises:
            SystemFault: it cannot stand in a header, or still has the quotes of a file around it.
        """
        self._value = value.strip()
        _KEYS.append(self)
        if not self._value or not self._value.isascii() or not self._value.isprintable():
            raise SystemFault(
                f"`{variable}` does not hold a key",
                hint="a key is one line of plain ASCII characters",
            )
        if re.fullmatch(_QUOTED, self._value):
            raise SystemFault(
                f"the value of `{variable}` has quotes around it, which are not of the key",
                hint="leave the quotes out: unlike a shell, `docker --env-file` keeps them",
            )

    def __repr__(self) -> str:
        return f"Key({_MASK})"

    @property
    def unmistakable(self) -> bool:
        """Whether the key is too long to occur in a text by chance."""
        return len(self._value) >= _SECRET

    def reveal(self) -> str:
        """The key itself, for the only place that attaches it."""
        return self._value

    def _forms(self) -> list[str]:
        """The key as headers, URLs, forms, JSON, pages and traces spell it; longest first."""
        key, data = self._value, self._value.encode()
        quoted = [quote(key), quote(key, safe=""), quote_plus(key)]
        forms = {
            key,
            *quoted,
            *(_ESCAPE.sub(lambda match: match[0].lower(), text) for text in quoted),
            base64.b64encode(data).decode().rstrip("="),
            base64.urlsafe_b64encode(data).decode().rstrip("="),
            data.hex(),
            json.dumps(key)[1:-1],
            html.escape(key),
            repr(key)[1:-1],
        }
        return sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)

    def masked(self, text: str) -> str:
        """A text without this key in any of its forms."""
        for form in self._forms():
            text = text.replace(form, _MASK)
        return text


def unkeyed(text: str) -> str:
    """A text without any key of this process."""
    for key in _KEYS:
        text = key.masked(text)
    return text


def gives_away(text: str) -> bool:
    """Whether a text contains a key of this process, in any spelling."""
    return any(
        text.strip() == key.reveal() or (key.unmistakable and key.masked(text) != text)
        for key in _KEYS
    )


def redacted(text: str, key: Key | None = None) -> str:
    """A text for people and logs: no key, no signed query, no user in a URL."""
    text = _USER.sub(r"\1", _QUERY.sub(r"\1?…", text))
    return key.masked(text) if key else text
