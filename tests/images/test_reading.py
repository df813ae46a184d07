"""Words in a picture are read where the reader is installed, and kept as text."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from flux2build.images import lettering, reading
from flux2build.images.reading import Line

WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1)
LINES = st.lists(st.builds(Line, WORDS, st.integers(0, 100).map(lambda n: n / 100)))

needs_the_extra = pytest.mark.skipif(
    not reading.installed(), reason="the extra `ocr` is not installed"
)


def sign(text: str) -> bytes:
    """A picture of dark words on light ground."""
    image = Image.new("RGB", (640, 200), "#f4f0e6")
    font = ImageFont.truetype(io.BytesIO(lettering.font("NotoSans-Bold")), 56)
    ImageDraw.Draw(image).text((40, 60), text, "#203040", font)
    target = io.BytesIO()
    image.save(target, "png")
    return target.getvalue()


@given(LINES)
def test_what_was_read_survives_the_lock(lines: list[Line]) -> None:
    """Lines and how sure they are come back as they were written."""
    assert reading.parsed(reading.written(lines)) == tuple(lines)


@given(st.text())
def test_any_text_in_a_lock_is_harmless(text: str) -> None:
    """What somebody else wrote there is left out."""
    assert all(0 <= line.confidence <= 1 for line in reading.parsed(text))


@needs_the_extra
@pytest.mark.parametrize("text", ["GRAND OPENING", "GRAND OPENNING", "Summer Sale 50"])
def test_words_are_read_as_they_stand(text: str) -> None:
    """A misspelt word is not put right."""
    lines = reading.read(sign(text))
    assert "".join(line.text for line in lines).replace(" ", "") == text.replace(" ", "")
    assert min(line.confidence for line in lines) > 0.8


@needs_the_extra
@pytest.mark.parametrize("data", [sign(" "), b"", b"no picture"])
def test_nothing_to_read_is_no_words(data: bytes) -> None:
    """A picture without words, and data that is not a picture."""
    assert reading.read(data) == ()
