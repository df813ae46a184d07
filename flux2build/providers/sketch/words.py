"""The words of a caption: the readable part of a prompt, in letters that the fonts have."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from flux2build.digest import Json
from flux2build.images import lettering

GREEK: Final = "\ue000"
"""Stands for a letter that the fonts lack; it is drawn as a bar, as designers greek text."""
SIMPLE: Final = "[\u00b5\u00d0\u00de\u0100-\u024f\u0259\u0370-\u03e1\u03f0-\u04ff]"
"""Letters that Noto Sans has, and that are set one beside the other: Latin, Greek, Cyrillic."""
COMPLEX: Final = "[\u0591-\u05ea\u05f0-\u05f4\u0600-\u061c\u061e-\u06ff\u0750-\u077f\u0900-\u097f\u0e01-\u0e5b\ufb1d-\ufb4f]"
"""Letters of Hebrew, Arabic, Devanagari and Thai, which have to be shaped."""

_LONGEST: Final = 700
_NESTING: Final = 6
_LEADING: Final = ("scene", "prompt", "description", "subject", "subjects")
_SAME: Final = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00a0\u2007\u202f\t\n\r\u2028\u2029", " "),
        "\u201a": ",", "\u201e": "”", "\u00d7": "x", "\u2022": "·", "\u00df": "ss", "\u00e6": "ae",
        "\u00c6": "AE", "\u0153": "oe", "\u0152": "OE", "\u00f8": "o", "\u00d8": "O",
        "\u0142": "l", "\u0141": "L", "\u0111": "d", "\u0110": "D", "\u0131": "i", "\u00f0": "d",
        "\u00fe": "th", "\u20ac": "EUR", "\u00a3": "GBP", "\u2032": "'", "\u2033": '"',
    }
)  # fmt: skip
_PRINTED: Final = frozenset(
    [chr(code) for code in range(0x20, 0x7F)]
    + list("©«°±\u00b4·»\u2018\u2019“”…\u2039\u203a\u2044™")
)
"""The letters of the font that is embedded in Pillow."""


def has(letters: str, text: str) -> bool:
    """Whether a text has any letter of a kind; most are in ASCII, and need no pattern."""
    return not text.isascii() and re.search(letters, text) is not None


def readable(prompt: str) -> str:
    """Return a prompt on one line; of a structured prompt, its texts."""
    return " ".join(plain(_spoken(prompt)).split())


def plain(text: str) -> str:
    """Return the text in letters that the fonts have; others become `GREEK`.

    The embedded font has no accents, and all that it can set is set in it.
    """
    composed = unicodedata.normalize("NFC", text[:_LONGEST])
    return "".join(_letter(letter) for letter in composed.translate(_SAME))


def one_line(text: str, limit: int) -> str:
    """Return the text for metadata, without control characters and at most `limit` long."""
    letters = (" " if unicodedata.category(letter) in {"Cc", "Cs"} else letter for letter in text)
    line = " ".join("".join(letters).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


@lru_cache(maxsize=2048)
def _letter(letter: str) -> str:
    if letter in _PRINTED:
        return letter
    parts = unicodedata.normalize("NFKD", letter).translate(_SAME)
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    if bare and all(part in _PRINTED for part in bare):
        return bare
    kind = unicodedata.category(letter)[0]
    if kind in "LMNP" and has(COMPLEX, letter) and lettering.installed():
        return letter
    if kind not in "LN":
        return ""
    return letter if has(SIMPLE, letter) else GREEK


def _spoken(prompt: str) -> str:
    if not prompt.lstrip().startswith(("{", "[")):
        return prompt
    try:
        tree = json.loads(prompt)
    except (ValueError, RecursionError):
        return prompt
    texts: list[str] = []
    for text in _texts(tree, _NESTING):
        texts.append(text.strip().rstrip("."))
        if sum(map(len, texts)) > _LONGEST:
            break
    return ". ".join(dict.fromkeys(filter(None, texts))) or prompt


def _texts(tree: Json, depth: int) -> Iterator[str]:
    """Yield the texts of a structured prompt: its subject first, then its style."""
    if isinstance(tree, str):
        yield tree
    elif depth and isinstance(tree, dict):
        first = [key for key in _LEADING if key in tree]
        for key in [*first, *(key for key in tree if key not in first)]:
            yield from _texts(tree[key], depth - 1)
    elif depth and isinstance(tree, list):
        for item in tree:
            yield from _texts(item, depth - 1)
