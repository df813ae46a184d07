"""Fonts are asked what they have, and what none has is named letter by letter."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from flux2build.errors import SpecError
from flux2build.images import lettering
from flux2build.images.lettering import faces

FONTS: Final = Path(lettering.__file__).parent / "fonts"
LATIN, HEBREW, ARABIC, DEVANAGARI, THAI = range(5)


@pytest.mark.parametrize("weight", [None, 700])
def test_the_bundled_fonts_cover_what_they_promise(weight: int | None) -> None:
    """Each script is set by its own font, in both weights."""
    text = "Aẳ Ω Жї אָ عُ कि กี่ €₹₽"
    chosen = faces.choose(text, faces.bundled(weight))
    assert set(chosen) == {LATIN, HEBREW, ARABIC, DEVANAGARI, THAI}


def test_bold_is_another_file() -> None:
    """A weight of 600 and more is set in the bold fonts."""
    names = [faces.bundled(weight)[0].name for weight in (None, 400, 599, 600, 900)]
    assert names == ["Noto Sans Regular"] * 3 + ["Noto Sans Bold"] * 2


def test_signs_stay_with_the_letters_before_them() -> None:
    """A space between Hebrew words is Hebrew; a stop that the font lacks is Latin."""
    assert faces.choose("אב גד.", faces.bundled(None)) == [HEBREW] * 5 + [LATIN]


def test_a_letter_is_never_split_between_fonts() -> None:
    """A base and its marks come from one font, also when another has the base alone."""
    chosen = faces.choose("e\u0301क\u093f", faces.bundled(None))
    assert chosen == [LATIN, LATIN, DEVANAGARI, DEVANAGARI]


def test_every_missing_letter_is_named_once_with_its_code_point() -> None:
    """The message lists code points with their names, and says which font to fetch."""
    with pytest.raises(SpecError) as caught:
        faces.choose("夏夏セ a", faces.bundled(None))
    (problem,) = caught.value.problems
    assert problem.message == (
        "no font has a glyph for U+590F CJK UNIFIED IDEOGRAPH-590F, U+30BB KATAKANA LETTER SE"
    )
    assert "Noto Sans JP from fonts.google.com/noto" in str(problem.hint)


def test_a_mark_that_no_font_has_with_its_letter_is_missing() -> None:
    """Two fonts do not share a letter: the mark is what is named."""
    with pytest.raises(SpecError, match=r"glyph for U\+0902 DEVANAGARI SIGN ANUSVARA$"):
        faces.choose("a\u0902", faces.bundled(None))


def test_a_long_list_of_missing_letters_is_cut() -> None:
    """Twelve are listed, the others are counted."""
    with pytest.raises(SpecError, match="and 8 more"):
        faces.choose("".join(map(chr, range(0x4E00, 0x4E14))), faces.bundled(None))


def test_a_mark_without_shape_needs_no_glyph() -> None:
    """Joiners, direction marks and selectors are not missing from any font."""
    text = "a\u200d\u200f\u2068b\u2069\ufe0f\u00ad"
    assert faces.choose(text, faces.bundled(None)) == [LATIN] * len(text)


@pytest.mark.parametrize("data", [b"", b"no font", b"\0\1\0\0" + b"\0" * 40, b"wOF2" + b"\1" * 99])
def test_what_is_no_font_is_refused(data: bytes) -> None:
    """A file that cannot be read is an error with the kinds that can."""
    with pytest.raises(SpecError, match="not a font") as caught:
        faces.choose("a", [faces.of(data)])
    assert ".ttf" in str(caught.value.problems[0].hint)


@pytest.mark.parametrize("cut", [60, 500, 5_000, 50_000, 150_000])
def test_a_font_cut_short_is_survived(cut: int) -> None:
    """Half a download is refused, or set as far as it goes; it never crashes."""
    data = FONTS.joinpath("NotoSans-Regular.ttf").read_bytes()[:cut]
    try:
        faces.choose("A", [faces.of(data)])
    except SpecError as error:
        assert error.problems[0].hint  # noqa: PT017 - either is well


def test_every_bundled_font_carries_its_licence() -> None:
    """The fonts are under the Open Font License, and say so themselves."""
    assert "SIL OPEN FONT LICENSE" in FONTS.joinpath("OFL.txt").read_text("utf-8")
    shipped = sorted(FONTS.glob("*.ttf"))
    assert len(shipped) == 10
    assert all(b"O\0p\0e\0n\0 \0F\0o\0n\0t" in path.read_bytes() for path in shipped)
