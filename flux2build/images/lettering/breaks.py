"""Where a line may end, by ICU, which has dictionaries for scripts without spaces."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import accumulate
from typing import Final

from icu4py.breakers import BaseBreaker, CharacterBreaker, LineBreaker
from msgspec import Struct

from flux2build.images.lettering.scripts import script

SOFT_HYPHEN: Final = "\u00ad"
_END: Final = re.compile("\r\n|[\n\v\f\r\x85\u2028\u2029]")
_KANA: Final = frozenset({"HIRAGANA", "KATAKANA"})
_UNSPACED: Final = frozenset({"BOPOMOFO", "CJK", *_KANA})
_NO_LANGUAGE: Final = "en"


class Breaks(Struct, frozen=True):
    """The places, counted in characters, before which a line may begin."""

    good: tuple[int, ...]
    """Between words and phrases."""
    any: tuple[int, ...]
    """Also between the letters of Japanese and Chinese."""


def clusters(text: str) -> list[str]:
    """The text as grapheme clusters: what readers perceive as letters."""
    return list(CharacterBreaker(text, _NO_LANGUAGE))


def paragraphs(text: str) -> list[str]:
    """The text split at its line ends and stripped of blanks; tabs become spaces."""
    return [line.strip(" ") for line in _END.split(text.replace("\t", " ").strip())]


@lru_cache(maxsize=512)
def find(text: str, language: str) -> Breaks:
    """Where a paragraph may be broken; never inside a grapheme cluster."""
    locale = _locale(text, language)
    edges = _places(CharacterBreaker(text, locale))
    every = _places(LineBreaker(text, f"{locale}-u-lb-strict")) & edges
    phrases = _places(LineBreaker(text, f"{locale}-u-lb-strict-lw-phrase")) & edges
    within = {at for at in every if _unspaced(text[at - 1]) and _unspaced(text[at])}
    good = every - (within - phrases)
    return Breaks(good=tuple(sorted(good)), any=tuple(sorted(every)))


def _places(breaker: BaseBreaker) -> set[int]:
    ends = list(accumulate(len(part) for part in breaker))
    return set(ends[:-1])


def _locale(text: str, language: str) -> str:
    """The locale to break lines in; kana are always Japanese."""
    if any(script(char) in _KANA for char in text):
        return "ja"
    return language.replace("_", "-").partition("-u-")[0] or _NO_LANGUAGE


@lru_cache(maxsize=4096)
def _unspaced(char: str) -> bool:
    """Whether a character is written without spaces around it."""
    return script(char) in _UNSPACED or unicodedata.east_asian_width(char) in "WF"
