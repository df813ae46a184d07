"""Lines end between words, in scripts without spaces too, and never inside of a letter."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icu4py.breakers import CharacterBreaker

from flux2build.images.lettering import breaks

THAI: Final = (
    ("กลับ", "บ้าน", "ด้วย", "รถไฟ", "กลาง", "คืน"),
    ("ลด", "ราคา", "วัน", "นี้", "เท่านั้น"),
    ("จักรยาน", "ที่", "ดี", "ที่สุด", "ใน", "เมือง"),
)
LETTERS: Final = "ab é -é👩‍👧🏽‍🦰กำี่บ้त्षि日本ー。ャ한국\u00ad"


def parts(text: str, places: tuple[int, ...]) -> list[str]:
    """The text between its breaks."""
    ends = (0, *places, len(text))
    return [text[start:end] for start, end in pairwise(ends)]


@pytest.mark.parametrize("words", THAI, ids=lambda words: words[0])
def test_thai_breaks_between_words_only(words: tuple[str, ...]) -> None:
    """Every place is the end of a word, and there are some."""
    places = breaks.find("".join(words), "th").any
    assert places
    assert set(places) <= set(accumulate(map(len, words)))


def test_thai_is_known_without_being_named() -> None:
    """A Thai sentence in a spec without languages wraps all the same."""
    assert breaks.find("".join(THAI[0]), "").any == breaks.find("".join(THAI[0]), "th").any


def test_japanese_breaks_between_phrases_first() -> None:
    """Phrases are kept whole while there is room; else anywhere that the rules allow."""
    text = "今日だけ全品半額のチャンスです。"
    places = breaks.find(text, "ja")
    assert parts(text, places.good) == ["今日だけ", "全品", "半額の", "チャンスです。"]
    assert set(places.good) < set(places.any)


@pytest.mark.parametrize("char", "。、ャーっ」")
def test_no_japanese_line_begins_with_what_must_not(char: str) -> None:
    """Small kana, long marks, stops and closing brackets stay with what they follow."""
    text = f"あい{char}うえ"
    assert 2 not in breaks.find(text, "ja").any


@given(st.text(st.sampled_from(LETTERS), max_size=30), st.sampled_from(["", "th", "ja", "hi"]))
@settings(max_examples=150, deadline=None)
def test_no_break_is_inside_of_a_letter(text: str, language: str) -> None:
    """Whatever is typed, each part is made of whole letters, and all parts are the text."""
    whole = set(accumulate(map(len, CharacterBreaker(text, "en"))))
    places = breaks.find(text, language)
    assert set(places.good) <= set(places.any) <= whole - {len(text)}
    assert "".join(parts(text, places.any)) == text


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("ab cd", ["ab ", "cd"]),
        ("well-kept", ["well-", "kept"]),
        ("a\u00a0b c", ["a\u00a0b ", "c"]),
    ],
)
def test_spaces_hyphens_and_what_binds(text: str, whole: list[str]) -> None:
    """Latin text breaks after spaces and hyphens, but not at a no-break space."""
    assert parts(text, breaks.find(text, "en").any) == whole


def test_paragraphs_are_what_line_ends_part() -> None:
    """All of Unicode's line ends count, blank lines stay, blanks at the edges go."""
    text = "\n one\r\ntwo \u2028three\n\n\tfour  \n"
    assert breaks.paragraphs(text) == ["one", "two", "three", "", "four"]
