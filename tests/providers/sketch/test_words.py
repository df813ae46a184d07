"""What a caption and the metadata say."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flux2build.images.lettering.faces import bundled
from flux2build.providers.sketch.lettering import Type, measure, wrap, write
from flux2build.providers.sketch.words import COMPLEX, GREEK, SIMPLE, has, one_line, plain, readable


@pytest.mark.parametrize(
    ("prompt", "caption"),
    [
        ("two\nlines  and\ttabs", "two lines and tabs"),
        ("Zoë's crème — brûlée", "Zoe's creme - brulee"),
        ("Straße, Łódź, Ærø", "Strasse, Lodz, AEro"),
        ("a fox 🦊 runs", "a fox runs"),
        ("half ½ and ² and ™", "half 1\u20442 and 2 and ™"),
        ("狐 runs", f"{GREEK} runs"),
        ("Лиса́ и ёж, αλεπού", "Лиса и ёж, αλεπού"),
        ("и\u0306", "й"),
        ("مرحبا, שָׁלוֹם, नमस्ते, สวัสดี", "مرحبا, שָׁלוֹם, नमस्ते, สวัสดี"),
    ],
)
def test_letters_the_fonts_lack_are_replaced(prompt: str, caption: str) -> None:
    """Accents of Latin letters fall off, symbols go, and scripts without a font become bars."""
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


def test_the_fonts_have_what_is_set_in_them() -> None:
    """No letter that is taken for Noto's is missing there, so that no caption can fail."""
    noto, *others = bundled(None)
    every = [chr(code) for code in range(0x3000)]
    kinds = {letter: unicodedata.category(letter)[0] for letter in every}

    assert all(noto.has(c) for c in every if has(SIMPLE, c) and kinds[c] in "LN")
    shaped = [c for c in every if has(COMPLEX, c) and kinds[c] in "LMNP"]
    assert all(any(ord(c) in face.characters for face in others) for c in shaped)
    assert len(shaped) > 500


MIXED = st.text(st.sampled_from("ab .,狐Лдя\u0301αמלשָׁمرحبا١نमस्ते्สวัสดีำ"), max_size=60)  # noqa: RUF001  # as meant


@given(st.text(max_size=300) | MIXED, st.integers(30, 400), st.integers(1, 4))
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


@pytest.mark.parametrize("text", ["Лиса", "αλεπού", "مرحبا", "שלום", "नमस्ते", "สวัสดี"])
def test_other_scripts_are_letters_and_not_bars(text: str) -> None:
    """What is drawn is as wide as it measures, and differs from the bars of as many letters."""
    lettered, barred = Image.new("RGB", (240, 40)), Image.new("RGB", (240, 40))
    write(lettered, (8, 8), text, Type(16, (255, 255, 255)))
    write(barred, (8, 8), GREEK * len(text), Type(16, (255, 255, 255)))
    box = lettered.getbbox()

    assert box is not None
    assert abs(box[2] - 8 - measure(text, 16)) < 4
    assert lettered.tobytes() != barred.tobytes()
