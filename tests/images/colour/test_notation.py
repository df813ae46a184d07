"""Colours have one spelling, and words that are no colour are refused with a suggestion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.images.colour.notation import canonical, rgba

CHANNEL = st.integers(0, 255)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#0A8", "#00aa88"),
        ("#0A84FF", "#0a84ff"),
        ("#0A84FFff", "#0a84ff"),
        ("#0a84ff80", "#0a84ff80"),
        (" Tomato ", "#ff6347"),
        ("transparent", "#00000000"),
    ],
)
def test_every_notation_comes_to_one_spelling(text: str, expected: str) -> None:
    """Hex digits, case and CSS names are spellings of the same colour."""
    assert canonical(text) == expected


@given(st.tuples(CHANNEL, CHANNEL, CHANNEL, CHANNEL))
def test_channels_survive_their_spelling(channels: tuple[int, int, int, int]) -> None:
    """Any four channels written as hex are read as the same four channels."""
    text = "#" + "".join(f"{channel:02X}" for channel in channels)
    assert rgba(text) == channels
    assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("tomatoe", "did you mean `tomato`"),
        ("#12", "write `#RRGGBB`"),
        ("hsl(0,0%,0%)", "CSS name"),
    ],
)
def test_a_word_that_is_no_colour_is_refused(text: str, hint: str) -> None:
    """The message names the word and the nearest colour, or how to write one."""
    with pytest.raises(ValueError, match="is not a colour") as caught:
        canonical(text)
    assert hint in str(caught.value)
