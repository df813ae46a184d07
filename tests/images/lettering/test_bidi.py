"""Which way letters run is what Unicode says, by the word of another implementation."""

from __future__ import annotations

import os
import unicodedata
from typing import Final

import pytest
from bidi import get_display
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.images.lettering import bidi

DEEP: Final = 20_000 if os.environ.get("FLUX2BUILD_DEEP") else 400
LETTERS: Final = (
    "abZ"  # L
    "אבש"  # R
    "ابجـ"  # AL
    "129"
    "٠٣"  # EN, AN
    "+-"
    "#$%"
    ",./:"  # ES, ET, CS
    "\u0300\u05b0\u064b"  # NSM
    " \u2003"
    "!&*"
    "()[]<>「」⟨⟩\u2329\u232a"
    "\u2066\u2067\u2068\u2069"  # isolates
    "\u202a\u202b\u202c\u202d\u202e"  # embeddings and overrides
    "\u200b"  # BN
)
TEXTS: Final = st.text(st.sampled_from(sorted(set(LETTERS))), min_size=1, max_size=24)
UNSEEN: Final = frozenset({
    "LRE", "RLE", "LRO", "RLO", "PDF", "BN", "LRI", "RLI", "FSI", "PDI",
})  # fmt: skip
"""Where these end up is of no interest, and implementations differ."""


def shown(text: str, base: int) -> str:
    """A line from left to right, without what has no shape."""
    levels = bidi.levels(text, base)
    order = bidi.visual(range(len(text)), lambda at: levels[at])
    return "".join(text[at] for at in order if bidi.kind(text[at]) not in UNSEEN)


def expected(text: str, base: int) -> str:
    """The same line in the words of the Rust crate `unicode-bidi`."""
    reordered = get_display(text, base_dir="LR"[base])
    assert isinstance(reordered, str)
    return "".join(char for char in reordered if bidi.kind(char) not in UNSEEN)


@given(TEXTS, st.sampled_from([0, 1]))
@settings(max_examples=DEEP, deadline=None)
def test_lines_are_ordered_as_by_another_implementation(text: str, base: int) -> None:
    """Every mixture of letters, numbers, brackets, isolates and embeddings comes out alike.

    A last letter keeps the end of the line out of it: blanks beside unseen characters are
    where the other one differs from the rules, and lines here have no blanks at their ends.
    """
    text += "Zא"[base]
    assert shown(text, base) == expected(text, base)


@pytest.mark.parametrize(
    ("text", "base", "visual"),
    [
        ("abc", 0, "abc"),
        ("אבג", 1, "גבא"),
        ("שלום Acme 25%", 1, "Acme 25% םולש"),
        ("Acme (שלום) 3", 0, "Acme (םולש) 3"),
        ("خصم 50%", 1, "%50 مصخ"),
        ("a\u2067שb\u2069c", 0, "abשc"),
    ],
)
def test_known_lines(text: str, base: int, visual: str) -> None:
    """Numbers stay together, brackets enclose, isolates keep to themselves."""
    assert shown(text, base) == visual


@pytest.mark.parametrize(
    ("text", "base"),
    [("abc", 0), ("שלום", 1), ("123 خصم", 1), ("123", 0), ("\u2067ש\u2069 abc", 0), ("", 0)],
)
def test_the_first_letter_says_which_way_a_paragraph_runs(text: str, base: int) -> None:
    """Digits, signs and isolates have no say."""
    assert bidi.base_level(text) == base


@given(st.text(max_size=40), st.sampled_from([0, 1]))
@settings(max_examples=100, deadline=None)
def test_every_character_has_a_level_near_its_base(text: str, base: int) -> None:
    """Whatever is typed, levels are as many as characters, and none is below the paragraph's."""
    levels = bidi.levels(text, base)
    assert len(levels) == len(text)
    assert all(base <= level <= 127 for level in levels)


def test_marks_go_with_their_letters() -> None:
    """A vowel sign has the level of the letter that it stands on."""
    text = "abשׁלc"
    levels = bidi.levels(text, 0)
    marks = [at for at, char in enumerate(text) if unicodedata.category(char) == "Mn"]
    assert marks
    assert all(levels[at] == levels[at - 1] for at in marks)
