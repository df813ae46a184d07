"""Properties of scripts: which letters belong to one, join, stack marks or run to the left."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_JOINED: Final = frozenset({
    "ARABIC", "BENGALI", "DEVANAGARI", "GUJARATI", "GURMUKHI", "KANNADA", "MALAYALAM", "MANDAIC",
    "MONGOLIAN", "MYANMAR", "NKO", "ORIYA", "SINHALA", "SYRIAC", "TAMIL", "TELUGU", "TIBETAN",
})  # fmt: skip
"""Scripts whose letters touch or form clusters: space between them would break words."""

_TALL: Final = _JOINED | {"KHMER", "LAO", "THAI"}
"""Scripts that stack marks above and below their letters."""

_KNOWN: Final = _TALL | {
    "ARMENIAN", "BOPOMOFO", "CJK", "CYRILLIC", "ETHIOPIC", "GEORGIAN", "GREEK", "HANGUL", "HEBREW",
    "HIRAGANA", "KATAKANA", "LATIN", "THAANA",
}  # fmt: skip

_LEFTWARD: Final = frozenset({
    "ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "prs", "ps", "sd", "syr", "ug", "ur", "yi",
})  # fmt: skip
"""Languages that are written from right to left when their tag names no script (CLDR)."""

_LEFTWARD_SCRIPTS: Final = frozenset({"arab", "hebr", "nkoo", "syrc", "thaa"})
_INVISIBLE: Final = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)


@lru_cache(maxsize=4096)
def script(char: str) -> str:
    """The script of a letter: the first word of its Unicode name, or an empty text.

    Marks and signs that several scripts share have none.
    """
    word = unicodedata.name(char, "").partition(" ")[0]
    return word if word in _KNOWN and unicodedata.category(char)[0] in "LM" else ""


def joined(text: str) -> bool:
    """Whether some letters of the text join."""
    return any(script(char) in _JOINED for char in text)


def tall(text: str) -> bool:
    """Whether lines of the text need more space between them."""
    return any(script(char) in _TALL for char in text)


def leftward(language: str) -> bool | None:
    """Whether a language runs from right to left; None when no language is named."""
    if not language:
        return None
    first, *rest = language.replace("_", "-").lower().split("-")
    named = next((part for part in rest if len(part) == 4 and part.isalpha()), None)
    return named in _LEFTWARD_SCRIPTS if named else first in _LEFTWARD


def invisible(char: str) -> bool:
    """Whether a character has no shape in any font: joiners, variation selectors, directions."""
    return _INVISIBLE.match(char) is not None
