"""What a caption and the metadata say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.providers.sketch.lettering import measure, wrap
from flux2build.providers.sketch.words import GREEK, one_line, plain, readable


@pytest.mark.parametrize(
    ("prompt", "caption"),
    [
        ("two\nlines  and\ttabs", "two lines and tabs"),
        ("Zoë's crème — brûlée", "Zoe's creme - brulee"),
        ("Straße, Łódź, Ærø", "Strasse, Lodz, AEro"),
        ("a fox 🦊 runs", "a fox runs"),
        ("half ½ and ² and ™", "half 1\u20442 and 2 and ™"),
        ("狐 runs", f"{GREEK} runs"),
    ],
)
def test_letters_the_font_lacks_are_replaced(prompt: str, caption: str) -> None:
    """Accents fall off, symbols go, and other scripts become bars."""
    assert caption == readable(prompt)


def test_a_structured_prompt_reads_by_its_scene() -> None:
    """What a structured prompt shows comes before how it shows it."""
    prompt = {
        "camera": {"lens": "85 mm"},
        "n": 3,
        "scene": "a desk.",
        "subjects": [{"name": "fox"}],
    }

    assert readable(json.dumps(prompt)) == "a desk. fox. 85 mm"


@pytest.mark.parametrize("prompt", ["{not json", "[1, 2]", "{}", '"text"'])
def test_what_only_looks_structured_is_read_as_it_stands(prompt: str) -> None:
    """Broken or empty JSON is shown rather than lost."""
    assert prompt == readable(prompt)


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_metadata_is_one_clean_line(text: str) -> None:
    """No prompt breaks out of its line, and every one can be encoded."""
    line = one_line(text, 40)

    assert len(line) <= 40
    assert line == " ".join(line.split())
    assert line == line.encode().decode()


@given(st.text(max_size=300), st.integers(30, 400), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_wrapped_lines_fit(text: str, width: int, lines: int) -> None:
    """No line is wider than its card, and there are never too many."""
    done = wrap(plain(text), 12, width, lines)

    assert len(done) <= lines
    assert all(measure(line, 12) <= width for line in done)


def test_what_is_left_out_is_marked() -> None:
    """A caption that was cut ends in an ellipsis; one that fits does not."""
    assert wrap("one two three four five six", 12, 60, 2)[-1].endswith("…")
    assert wrap("one two", 12, 200, 2) == ["one two"]
