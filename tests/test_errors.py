"""Errors as data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.errors import Exit, Place, did_you_mean, gravest, nearest, one_line

_CODES = [code for code in Exit if code is not Exit.DONE]


@given(st.lists(st.sampled_from(list(Exit)), min_size=1))
def test_gravest_is_one_of_the_codes(codes: list[Exit]) -> None:
    """The gravest code is among those that apply, whatever their order."""
    found = gravest(codes)

    assert found in codes
    assert gravest(reversed(codes)) == found


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([Exit.DRIFT, Exit.INCOMPLETE], Exit.INCOMPLETE),
        ([Exit.BUDGET, Exit.SYSTEM], Exit.SYSTEM),
        ([Exit.SYSTEM, Exit.DECIDE], Exit.DECIDE),
        ([Exit.DECIDE, Exit.BUG], Exit.BUG),
        ([Exit.DONE], Exit.DONE),
    ],
)
def test_gravest_follows_the_table(codes: list[Exit], expected: Exit) -> None:
    """When several codes apply, 70 beats 5, 6, 4, 3, 2 and 1, in this order."""
    assert gravest(codes) == expected


def test_place_reads_like_a_compiler() -> None:
    """A place prints as file:line:column, without what is unknown."""
    assert str(Place("assets.toml", 3, 9)) == "assets.toml:3:9"
    assert str(Place("assets.toml")) == "assets.toml"


def test_hint_names_the_nearest_word() -> None:
    """A typing error is answered with the word that was meant, else with all of a few."""
    assert nearest("promt", ["prompt", "template"]) == "prompt"
    assert did_you_mean("promt", ["prompt", "template"]) == "did you mean `prompt`?"
    assert did_you_mean("zzz", ["b", "a"]) == "known: `a`, `b`"
    assert did_you_mean("zzz", []) is None


@given(st.text(max_size=900))
def test_untrusted_text_becomes_one_printable_line(text: str) -> None:
    """Control codes, line breaks and length cannot pass."""
    line = one_line(text)

    assert line.isprintable()
    assert len(line) <= 300


def test_a_word_is_compared_with_many_soon() -> None:
    """The nearest of very many words is found among those that are like it; a flood is not compared."""
    words = [f"asset-{number}" for number in range(100_000)]

    assert nearest("asset-4999x", words) is not None
    assert nearest("x" * 1_000_000, words) is None
    assert did_you_mean("qqq", words) is None
