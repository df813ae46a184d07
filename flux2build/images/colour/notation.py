"""Colours as people write them: `#RGB`, `#RRGGBB`, `#RRGGBBAA` or a CSS name."""

from __future__ import annotations

import re
from typing import Annotated, Final

from flux2build.errors import nearest
from flux2build.tables.marks import After, Schema
from flux2build.tables.table import Field

Rgba = tuple[int, int, int, int]

_HEX: Final = r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})"


def canonical(text: str) -> str:
    """One spelling per colour: `#rrggbb`, or `#rrggbbaa` when it is not opaque.

    Raises:
        ValueError: it is not a colour; the message says how to write one.
    """
    word = text.strip().lower()
    if word == "transparent":
        return "#00000000"
    if not re.fullmatch(_HEX, word):
        word = _named(text, word)
    if len(word) == 4:
        word = "#" + "".join(digit * 2 for digit in word[1:])
    return word[:7] if word[7:] == "ff" else word


def _named(text: str, word: str) -> str:
    """The digits of a CSS name."""
    from PIL import ImageColor

    if word in ImageColor.colormap:
        return "#" + "".join(f"{channel:02x}" for channel in ImageColor.getrgb(word))
    near = nearest(word, ImageColor.colormap)
    hint = f"did you mean `{near}`?" if near else "write `#RRGGBB` or a CSS name"
    raise ValueError(f"`{text}` is not a colour; {hint}")


def rgba(text: str) -> Rgba:
    """Red, green, blue and alpha of a colour, each 0 to 255."""
    word = canonical(text)
    red, green, blue = (int(word[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue, int(word[7:] or "ff", 16)


Colour = Annotated[
    str,
    After(canonical),
    Schema({"type": "string", "format": "color"}),
    Field(description="`#RGB`, `#RRGGBB`, `#RRGGBBAA` or a CSS name"),
]
