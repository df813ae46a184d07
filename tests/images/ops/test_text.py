"""`text` sets words exactly: inside their box, at the largest size, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from flux2build.errors import SpecError
from flux2build.images import lettering
from flux2build.images.ops.text import OP
from flux2build.tables.table import TableError

FONTS: Final = Path(lettering.__file__).parent / "fonts"
DEEP: Final = 2000 if os.environ.get("FLUX2BUILD_DEEP") else 60
BASE: Final = Image.new("RGB", (240, 120), "black")

ANCHORS: Final = ("top-left", "top", "right", "center", "bottom-right", "bottom")
CLUSTERS: Final = (
    *"aÅjQgfiẲ ŷ\n.,%()12- שלם خصمع٪ กลบ",
    *("לְ", "عُّ", "र", "त्षि", "कं", "ट्", "ที่", "ปู่", "\u2068", "\u2069", "\u200f"),
)
TEXTS: Final = (
    st.lists(st.sampled_from(CLUSTERS), min_size=1, max_size=30).map("".join).filter(str.strip)
)

Area = tuple[int, int, int, int]


def lettered(text: str, base: Image.Image = BASE, **params: Any) -> Image.Image:
    """The picture with words on it."""
    parsed = OP.model_validate({"text": text, **params})
    picture = parsed.apply(base, [b""])
    assert isinstance(picture, Image.Image)
    return picture


def changed(picture: Image.Image, base: Image.Image = BASE) -> Area | None:
    """The smallest rectangle that holds every pixel that differs."""
    return ImageChops.difference(picture, base).getbbox()


def inside(area: Area | None, left: int, top: int, width: int, height: int) -> bool:
    """Whether a rectangle lies in a box."""
    return area is None or (
        area[0] >= left and area[1] >= top and area[2] <= left + width and area[3] <= top + height
    )


@given(
    TEXTS,
    st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(60, 180), st.integers(40, 80)),
    st.sampled_from(ANCHORS),
    st.sampled_from([None, "start", "left", "center", "right", "end"]),
    st.fixed_dictionaries(
        {},
        optional={
            "stroke": st.integers(0, 4),
            "mirror": st.booleans(),
            "tracking": st.integers(-50, 200),
            "weight": st.sampled_from([400, 700]),
            "wrap": st.sampled_from(["balance", "fill", "none"]),
            "backdrop": st.just({"color": "#345", "padding": 3, "radius": 4}),
            "language": st.sampled_from(["en", "ar", "he", "th", "ja"]),
        },
    ),
)
@settings(max_examples=DEEP, deadline=None)
def test_nothing_leaves_the_box(
    text: str,
    box: tuple[int, int, int, int],
    anchor: str,
    align: str | None,
    more: dict[str, Any],
) -> None:
    """Whatever is written wherever: letters, stroke and backdrop stay in the box."""
    left, top, width, height = box
    try:
        picture = lettered(
            text, box=list(box), anchor=anchor, align=align, size=32, min_size=2, **more
        )
    except SpecError as error:
        assert "does not fit" in str(error)  # noqa: PT017 - the other way to keep the law
        return
    turned = more.get("mirror") and not inside(changed(picture), *box)
    assert inside(
        changed(picture), BASE.width - left - width if turned else left, top, width, height
    )


@pytest.mark.parametrize(
    ("anchor", "touches"),
    [
        ("top-left", {"left", "top"}),
        ("top-right", {"right", "top"}),
        ("bottom-left", {"left", "bottom"}),
        ("bottom-right", {"right", "bottom"}),
    ],
)
def test_words_lie_at_their_anchor(anchor: str, touches: set[str]) -> None:
    """The ink is within two pixels of the sides that the anchor names, and of no others."""
    left, top, right, bottom = (
        changed(lettered("H", box=[20, 10, 200, 100], anchor=anchor, size=30))
        or BASE.getbbox()
        or (0, 0, 0, 0)
    )
    near = {"left": left - 20, "top": top - 10, "right": 220 - right, "bottom": 110 - bottom}
    assert {side for side, gap in near.items() if gap <= 4} == touches


def test_right_to_left_words_are_mirrored_when_asked() -> None:
    """An Arabic headline of a left-hand design stands at the right, and an English one does not."""
    box = [0, 0, 120, 120]
    for text, language, half in (("قمة", "ar", 120), ("Top", "en", 0)):
        area = changed(
            lettered(text, box=box, anchor="left", mirror=True, language=language, size=30)
        )
        assert inside(area, half, 0, 120, 120)


def test_the_language_decides_where_lines_start() -> None:
    """With `start`, text in Hebrew is flush right although it begins with a Latin name."""
    for language, half in (("he", 120), ("en", 0)):
        picture = lettered(
            "Acme\nAcme שלום עולם",
            box=[0, 0, 240, 120],
            size=20,
            align="start",
            wrap="none",
            language=language,
        )
        first = (0, 0, 240, 58)
        assert inside(changed(picture.crop(first), BASE.crop(first)), half, 0, 120, 58)


@given(st.integers(1, 40), st.integers(20, 240))
@settings(max_examples=20, deadline=None)
def test_shares_are_pixels(percent: int, width: int) -> None:
    """A share of the picture gives the same bytes as the pixels that it comes to."""
    base = Image.new("RGB", (width, 100))
    try:
        shares = lettered("Hi", base, box=["0%", "0%", "100%", "100%"], size=f"{percent}%")
    except SpecError:
        return
    size = round(percent / 100 * min(base.size))
    assert (
        shares.tobytes()
        == lettered("Hi", base, box=[0, 0, width, 100], size=max(1, size)).tobytes()
    )


def test_a_template_may_write_pixels() -> None:
    """What a template makes is text; digits are pixels all the same."""
    assert OP.model_validate({"text": "A", "size": "24", "box": ["0", 1, "2%", "30"]}) == (
        OP.model_validate({"text": "A", "size": 24, "box": [0, 1, "2%", 30]})
    )


def test_without_a_smallest_size_nothing_shrinks() -> None:
    """The message says the size, the language and the room."""
    with pytest.raises(SpecError) as caught:
        lettered("Sommerschlussverkauf", size=40, box=[0, 0, 100, 50], language="de")
    (problem,) = caught.value.problems
    assert problem.message == "`Sommerschlussverkauf` does not fit"
    assert dict(problem.rows) == {
        "language": "de",
        "room": "100x50 pixels",
        "size": "40 pixels; no `min_size` to shrink to",
    }
    assert changed(lettered("Sommerschlussverkauf", size=40, min_size=5, box=[0, 0, 100, 50]))


def test_too_many_lines_do_not_fit() -> None:
    """`max_lines` shrinks before it refuses."""
    lines: dict[str, Any] = {"size": 30, "box": [0, 0, 100, 120]}
    tall, flat = (
        changed(lettered("one two three", min_size=5, max_lines=n, **lines)) for n in (3, 1)
    )
    assert tall
    assert flat
    assert tall[3] - tall[1] > 2 * (flat[3] - flat[1])
    with pytest.raises(SpecError, match="does not fit") as caught:
        lettered("one\ntwo", max_lines=1, **lines)
    assert ("lines", "1 at most") in caught.value.problems[0].rows


def test_letters_that_no_font_has_are_named() -> None:
    """Nothing is set as an empty box."""
    with pytest.raises(SpecError, match=r"U\+590F CJK UNIFIED IDEOGRAPH"):
        lettered("夏")


def test_a_font_of_the_repository_sets_the_words() -> None:
    """The bytes of the input decide: the bold file gives the bold picture."""
    regular, bold = (
        FONTS.joinpath(f"NotoSans-{name}.ttf").read_bytes() for name in ("Regular", "Bold")
    )
    params = OP.model_validate({"text": "Ag", "font": {"input": 1}})
    pictures = [params.apply(BASE, [b"", data]).tobytes() for data in (regular, bold)]
    assert pictures == [lettered("Ag").tobytes(), lettered("Ag", weight=700).tobytes()]


def test_several_fonts_help_each_other_out() -> None:
    """What the first font lacks, the second one sets."""
    inputs = [
        b"",
        *(FONTS.joinpath(f"NotoSans{name}-Regular.ttf").read_bytes() for name in ("Thai", "")),
    ]
    params = OP.model_validate({"text": "ก A", "font": [{"input": 1}, {"input": 2}]})
    assert changed(params.apply(BASE, inputs))
    alone = OP.model_validate({"text": "ก A", "font": [{"input": 1}]})
    with pytest.raises(SpecError, match=r"U\+0041 LATIN CAPITAL LETTER A"):
        alone.apply(BASE, inputs)


def test_the_fonts_that_come_along_help_out_when_asked() -> None:
    """With `fallback` a letter that the brand's font lacks is set in Noto Sans."""
    thai = FONTS.joinpath("NotoSansThai-Regular.ttf").read_bytes()
    params = OP.model_validate({"text": "ก A", "font": {"input": 1}, "fallback": True})
    assert params.apply(BASE, [b"", thai]).tobytes() == lettered("ก A").tobytes()


def test_a_weight_of_a_static_font_is_refused() -> None:
    """It would change nothing, and nobody would know why."""
    params = OP.model_validate({"text": "A", "font": {"input": 1}, "weight": 700})
    with pytest.raises(SpecError, match="variable font"):
        params.apply(BASE, [b"", FONTS.joinpath("NotoSans-Regular.ttf").read_bytes()])


def test_a_variable_font_has_every_weight() -> None:
    """The heavier, the more ink, and all of it in the box."""
    font = Path(__file__).parents[1] / "lettering" / "fonts" / "NotoSansThai-variable.ttf"
    inks = []
    for weight in (None, 100, 400, 900):
        weighted = {} if weight is None else {"weight": weight}
        params = OP.model_validate(
            {"text": "กบ", "font": {"input": 1}, "size": 60, "box": [20, 10, 200, 100], **weighted}
        )
        picture = params.apply(BASE, [b"", font.read_bytes()])
        assert inside(changed(picture), 20, 10, 200, 100)
        inks.append(sum(picture.convert("L").tobytes()))
    plain, thin, regular, black = inks
    assert thin < plain == regular < black


def test_stroke_shadow_and_backdrop_are_seen_in_their_colours() -> None:
    """Each adds its colour below the letters."""
    picture = lettered(
        "O",
        size=60,
        color="#ff0000",
        stroke=3,
        stroke_color="#00ff00",
        backdrop={"color": "#0000ff", "padding": 5},
    )
    colours = {colour for count, colour in picture.getcolors(1 << 16) or [] if count > 20}
    assert {(255, 0, 0), (0, 255, 0), (0, 0, 255)} <= colours
    plain, shaded = (
        lettered("O", size=60),
        lettered("O", size=60, shadow={"color": "#fff", "x": 20}),
    )
    before, after = changed(plain), changed(shaded)
    assert before
    assert after
    assert after[2] >= before[2] + 20


def test_a_transparent_picture_stays_transparent_around_the_words() -> None:
    """Alpha is kept, and gains the letters only."""
    picture = lettered("A", Image.new("RGBA", (60, 60)), size=40)
    assert picture.mode == "RGBA"
    assert picture.getpixel((1, 1)) == (0, 0, 0, 0)
    assert picture.getchannel("A").getextrema() == (0, 255)


def test_a_box_outside_of_the_picture_is_refused() -> None:
    """Pixels that a smaller picture does not have are not made up."""
    with pytest.raises(SpecError, match="leaves the picture"):
        lettered("A", box=[0, 0, 241, 10])


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"text": "  "}, "`text` is empty"),
        ({"size": "5 %"}, "is not a length"),
        ({"size": 10, "min_size": 12}, "larger than `size`"),
        ({"box": [0, 0, 0, 10]}, "more than 0"),
        ({"language": "very long words"}, "is not a language"),
        ({"color": "#12"}, "not a colour"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params: dict[str, Any], complaint: str) -> None:
    """They are caught while planning, before anything is rendered."""
    with pytest.raises(TableError, match=complaint):
        OP.model_validate({"text": "A", **params})


@pytest.mark.parametrize(
    ("locale", "tag"),
    [("sr@latin", "sr-Latn"), ("sr_RS@latin", "sr-Latn-RS"), ("zh_TW.Big5", "zh-TW"), ("de", "de")],
)
def test_languages_as_gettext_names_them(locale: str, tag: str) -> None:
    """A locale of gettext is a language as well; its variant may be a script."""
    assert lettering.language_tag(locale) == tag
    assert OP.model_validate({"text": "a", "language": locale}).model_dump()["language"] == locale
