"""Words are broken, shrunk and placed so that nothing is lost and nothing sticks out."""

from __future__ import annotations

import io
import re
from typing import Final

import pytest
from bidi import get_display
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps, ImageStat, features

from flux2build.images import lettering
from flux2build.images.lettering import faces, ink, layout
from flux2build.images.lettering.layout import Box, Rules
from flux2build.images.lettering.shaping import Line, Paragraph, Style

STYLE: Final = Style(faces.bundled(None))
WORDS: Final = st.lists(
    st.sampled_from(
        [
            "a",
            "Tag",
            "ways",
            "Über",
            "שלום",
            "עולם",
            "خصم",
            "اليوم",
            "50%",
            "नमस्ते",
            "วันนี้เท่านั้น",
            "(x)",
            "fi",
        ]
    ),
    min_size=1,
    max_size=12,
).map(" ".join)


def numbers(line: Line) -> list[int]:
    """The glyphs of a line, from left to right."""
    return [glyph.number for glyph in line.glyphs]


def inked(line: Line) -> list[tuple[str, int]]:
    """The glyphs of a line that are seen, by font."""
    return [(glyph.face.name, glyph.number) for glyph in line.glyphs if glyph.extent]


@given(WORDS, st.integers(30, 300), st.integers(12, 200), st.sampled_from(["balance", "fill"]))
@settings(max_examples=60, deadline=None)
def test_the_largest_size_that_fits_is_taken(
    text: str, width: int, height: int, wrap: lettering.Wrap
) -> None:
    """The block fits, and at every larger size full lines would not."""
    box, rules = Box(0, 0, width, height), Rules(40, 4, wrap=wrap)
    paragraph = Paragraph(text, STYLE)
    block = layout.fit([paragraph], box, rules)
    smallest = block.size if block else 3
    assert block is None or block.fits(box)
    for size in range(smallest + 1, 41):
        larger = layout.broken([paragraph], size, width, Rules(40, 4, wrap="fill"))
        assert larger is None or not larger.fits(box)


@given(WORDS, st.integers(40, 400), st.sampled_from(["balance", "fill"]))
@settings(max_examples=60, deadline=None)
def test_wrapping_keeps_every_letter(text: str, width: int, wrap: lettering.Wrap) -> None:
    """The lines have the glyphs of the whole, but for the spaces between them."""
    assume(not re.search("[\u0600-\u06ff]", text))  # letters that join change at the end of a word
    paragraph = Paragraph(text, STYLE)
    block = layout.broken([paragraph], 16, width, Rules(16, 16, wrap=wrap))
    assume(block is not None)
    assert block
    whole = inked(paragraph.line(0, len(text)))
    assert sorted(found for line in block.lines for found in inked(line)) == sorted(whole)


@given(WORDS, st.integers(60, 400))
@settings(max_examples=40, deadline=None)
def test_balanced_lines_are_no_more_and_no_wider(text: str, width: int) -> None:
    """Balance moves words, it does not add lines."""
    paragraph = Paragraph(text, STYLE)
    full = layout.broken([paragraph], 16, width, Rules(16, 16, wrap="fill"))
    even = layout.broken([paragraph], 16, width, Rules(16, 16))
    assert (full is None) == (even is None)
    if full and even:
        assert len(even.lines) <= len(full.lines)
        assert even.width <= full.width + 1e-6


@given(st.text(st.sampled_from("אבגדה שםץ"), min_size=2, max_size=20))
@settings(max_examples=60, deadline=None)
def test_hebrew_glyphs_stand_in_the_order_of_the_reordered_text(text: str) -> None:
    """Shaped from right to left, they are those of the text reordered by another library."""
    assume(text.strip())
    text = " ".join(text.split())
    reordered = get_display(text, base_dir="R")
    assert isinstance(reordered, str)
    font = faces.bundled(None)[1].font
    expected = [font.get_nominal_glyph(ord(char)) for char in reordered]
    assert numbers(Paragraph(text, STYLE).line(0, len(text))) == expected


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow finds no fribidi")
@pytest.mark.parametrize(
    ("text", "number"),
    [("خصم على كل شيء", 2), ("שלום עולם", 1), ("रात की ट्रेन", 3), ("กลับบ้านที่", 4), ("AVA fi", 0)],
)
def test_letters_are_those_of_raqm(text: str, number: int) -> None:
    """Another shaper's picture of the same words is nearly the same, and its mirror image is not."""
    face, size = faces.bundled(None)[number], 60
    line = Paragraph(text, Style((face,))).line(0, len(text))
    box = Box(0, 0, round(line.advance * size) + 40, 160)
    mine = ink.filled([layout.Placed(line, 20, 100)], size, box)
    font = ImageFont.truetype(
        io.BytesIO(face.data),
        size,
        layout_engine=ImageFont.Layout.RAQM,
    )
    theirs = Image.new("L", mine.size)
    ImageDraw.Draw(theirs).text((20, 100), text, fill=255, font=font, anchor="ls")
    assert abs(font.getlength(text) - line.advance * size) < 0.02 * box.width
    ours, other = _cropped(mine), _cropped(theirs)
    assert _difference(ours, other) < 0.5 * _difference(ours, ImageOps.mirror(other))


def _cropped(mask: Image.Image) -> Image.Image:
    return mask.crop(mask.getbbox()).resize((400, 80))


def _difference(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]


def test_a_soft_hyphen_shows_at_the_end_of_a_line_only() -> None:
    """Broken there, a word ends in a hyphen; unbroken, nothing is seen."""
    paragraph = Paragraph("Nacht\u00adzug", STYLE)
    plain, broken = Paragraph("Nachtzug", STYLE), Paragraph("Nacht-", STYLE)
    assert paragraph.line(0, 9).advance == pytest.approx(plain.line(0, 8).advance)
    assert numbers(paragraph.line(0, 6)) == numbers(broken.line(0, 6))


def test_tracking_adds_between_letters_and_never_where_they_join() -> None:
    """Six letters have five gaps; Arabic and Devanagari words have none."""
    wide = Style(STYLE.faces, tracking=0.1)
    for text, gaps in (("travel", 5), ("خصم", 0), ("नमस्ते", 0)):
        plain, apart = (Paragraph(text, style).line(0, len(text)) for style in (STYLE, wide))
        assert apart.advance - plain.advance == pytest.approx(0.1 * gaps)


def test_languages_have_letterforms_of_their_own() -> None:
    """The Serbian letter be is not the Russian one."""
    forms = [
        numbers(Paragraph("\u0431", Style(STYLE.faces, language)).line(0, 1))
        for language in ("ru", "sr")
    ]
    assert forms[0] != forms[1]
