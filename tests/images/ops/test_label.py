"""`label` says in a corner that a picture was generated, where people can read it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from PIL import Image, ImageChops

from flux2build.errors import SpecError
from flux2build.images import lettering
from flux2build.images.legibility import ratios
from flux2build.images.ops.contract import Canvas
from flux2build.images.ops.label import OP
from flux2build.tables.table import TableError

FONTS: Final = Path(lettering.__file__).parent / "fonts"
SIZES = [(96, 64), (320, 200), (1024, 1024), (2000, 300)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("anchor", ["top-left", "bottom-right"])
def test_the_label_lies_in_its_corner(size: tuple[int, int], anchor: str) -> None:
    """It is inside of the picture, off the edges, and in the half that the anchor names."""
    image, label = Image.new("RGB", size, "white"), OP.model_validate({"anchor": anchor})
    area = ImageChops.difference(label.apply(image, [b""]), image).getbbox()
    assert area is not None
    left, top, right, bottom = area
    assert 0 < left < right < size[0]
    assert 0 < top < bottom < size[1]
    assert ((top + bottom) / 2 < size[1] / 2) == (anchor == "top-left")
    assert bottom - top >= 9


@pytest.mark.parametrize("ground", ["white", "black", "#808080", "red", "yellow"])
def test_the_label_is_readable_on_anything(ground: str) -> None:
    """Its plate gives it the contrast that WCAG asks of small letters, whoever looks."""
    label = OP.model_validate({})
    letters = label.letters(Image.new("RGB", (640, 480), ground), [b""])
    assert letters is not None
    seen = ratios(letters, ["usual", "protan", "deutan", "tritan"], 1, None)
    assert min(seen.values()) >= 4.5


def test_a_picture_that_is_too_small_is_refused_in_the_plan() -> None:
    """The message says what can be done about it: a label has no box."""
    label = OP.model_validate({"text": "Dieses Bild wurde mit KI erzeugt"})
    with pytest.raises(SpecError) as caught:
        label.foreseen(Canvas((32, 32)), [b""])
    assert "does not fit" in str(caught.value)
    assert "too small for a label" in str(caught.value.problems[0].hint)
    assert label.foreseen(Canvas((1024, 768)), [b""]) is not None
    assert label.foreseen(None, [b""]) is None


def test_a_font_of_the_repository_sets_the_label() -> None:
    """Where the included fonts lack a letter, the message names a key that a label has."""
    image, chinese = Image.new("RGB", (640, 480), "white"), {"text": "由AI生成"}
    with pytest.raises(SpecError, match=r"no font has a glyph for U\+7531") as caught:
        OP.model_validate(chinese).foreseen(Canvas((640, 480)), [b""])
    assert "name it in `font`" in str(caught.value.problems[0].hint)
    bold = (FONTS / "NotoSans-Bold.ttf").read_bytes()
    labelled = OP.model_validate({"font": {"input": 1}}).apply(image, [b"", bold])
    assert labelled.tobytes() != OP.model_validate({}).apply(image, [b""]).tobytes()


@pytest.mark.parametrize("params", [{"text": " "}, {"language": "?"}, {"size": "big"}, {"box": 1}])
def test_what_a_label_cannot_be_is_refused(params: dict[str, object]) -> None:
    """An empty text, a language that is none, a size in words, a key that it lacks."""
    with pytest.raises(TableError):
        OP.model_validate(params)
