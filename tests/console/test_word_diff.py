"""How a prompt changed, word by word."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.console.word_diff import diff, plain

PROSE = st.lists(st.sampled_from(["a", "red", "fox", " ", "  ", "\n", ",", "blue"])).map("".join)
TEXTS = st.one_of(PROSE, st.text())


@given(TEXTS, TEXTS)
def test_both_texts_come_back(old: str, new: str) -> None:
    """What is same or gone is the old text; what is same or new is the new one."""
    runs = diff(old, new)

    assert "".join(text for change, text in runs if change != "new") == old
    assert "".join(text for change, text in runs if change != "gone") == new


@given(TEXTS, TEXTS)
def test_runs_are_merged(old: str, new: str) -> None:
    """No run is empty, and no two neighbours are alike."""
    runs = diff(old, new)

    assert all(text for _, text in runs)
    assert all(one[0] != other[0] for one, other in itertools.pairwise(runs))


@given(TEXTS)
def test_nothing_changed(text: str) -> None:
    """A text does not differ from itself."""
    assert diff(text, text) == ([("same", text)] if text else [])


@given(TEXTS, TEXTS, st.integers(0, 5))
def test_plain_shows_every_change(old: str, new: str, context: int) -> None:
    """However little context is asked for, every change is shown on one line."""
    runs = diff(old, new)
    line = plain(runs, context)

    assert "\n" not in line
    assert all(text.replace("\n", "⏎") in line for change, text in runs if change != "same")


@pytest.mark.parametrize(
    ("old", "new", "context", "line"),
    [
        ("a red fox", "a blue fox", 3, "a [-red-]{+blue+} fox"),
        ("a red big fox", "a blue small fox", 3, "a [-red big-]{+blue small+} fox"),
        ("a fox", "a red fox", 3, "a {+red +}fox"),
        (
            "one two three four five six x",
            "one two three four five six y",
            2,
            "… five six [-x-]{+y+}",
        ),
        ("x one two three four five", "y one two three four five", 2, "[-x-]{+y+} one two …"),
        (
            "p one two three four five six q",
            "r one two three four five six s",
            1,
            "[-p-]{+r+} one … six [-q-]{+s+}",
        ),
        ("a\nb", "a b", 1, "a[-⏎-]{+ +}b"),
    ],
)
def test_plain(old: str, new: str, context: int, line: str) -> None:
    """A change reads as in the plan, with long unchanged stretches left out."""
    assert plain(diff(old, new), context) == line


def test_long_prompts() -> None:
    """Two prompts of the greatest length are compared at once."""
    old = "the quick brown fox, " * 3000

    assert diff(old, old.replace("brown", "red", 1))[1:3] == [("gone", "brown"), ("new", "red")]
    assert diff(old, "another " * 5000)
