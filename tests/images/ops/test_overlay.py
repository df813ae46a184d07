"""`overlay` lays another picture exactly where it is asked for, and keeps what is opaque opaque."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from flux2build.errors import SpecError
from flux2build.images.formats.contract import PictureError
from flux2build.images.ops.overlay import OP
from flux2build.tables.table import TableError


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


def png(image: Image.Image) -> bytes:
    """A picture's file."""
    target = io.BytesIO()
    image.save(target, "png")
    return target.getvalue()


def laid(base: Image.Image, layer: Image.Image, **params: object) -> Image.Image:
    """The base with the layer over it."""
    settings_ = OP.model_validate({"source": {"input": 1}, **params})
    return settings_.apply(base, [b"", png(layer)])


BASE = Image.new("RGB", (100, 60), (40, 80, 120))
DOT = Image.new("RGB", (10, 10), (255, 0, 0))


@pytest.mark.parametrize(
    ("anchor", "box"),
    [
        ("top-left", (5, 5, 15, 15)),
        ("right", (85, 25, 95, 35)),
        ("center", (45, 25, 55, 35)),
        ("bottom", (45, 45, 55, 55)),
        ("bottom-right", (85, 45, 95, 55)),
    ],
)
def test_it_lies_at_its_anchor_inside_the_margin(
    anchor: str, box: tuple[int, int, int, int]
) -> None:
    """Only the pixels inside that box change."""
    done = laid(BASE, DOT, anchor=anchor, margin=5)
    assert ImageChops.difference(done, BASE).getbbox() == box
    assert done.mode == "RGB"


@given(st.floats(0.05, 0.8), st.floats(0.01, 0.09))
@settings(max_examples=20, deadline=None)
def test_scale_and_safe_margin_are_shares_of_the_picture(scale: float, safe: float) -> None:
    """The layer is as wide as its share, and the safe margin stays free."""
    layer = Image.new("RGB", (100, 50), (255, 0, 0))
    done = laid(BASE, layer, anchor="top-left", scale=scale, safe=safe)
    left, top, right, _bottom = ImageChops.difference(done, BASE).getbbox() or (0, 0, 0, 0)
    assert left == top == round(60 * safe)
    assert right - left == max(1, round(100 * scale))


def test_opacity_is_a_mixture() -> None:
    """Half of red over blue is half of each."""
    done = laid(Image.new("RGB", (4, 4), (0, 0, 200)), DOT.resize((4, 4)), opacity=0.5)
    assert all(abs(a - b) <= 1 for a, b in zip(pixel(done, 1, 1), (128, 0, 100), strict=True))


@pytest.mark.parametrize(
    ("blend", "expected"),
    [
        ("normal", (200, 100, 0)),
        ("multiply", (78, 39, 0)),
        ("screen", (222, 161, 100)),
        ("overlay", (157, 78, 0)),
        ("darken", (100, 100, 0)),
        ("lighten", (200, 100, 100)),
        ("hard-light", (188, 78, 0)),
        ("soft-light", (134, 86, 39)),
    ],
)
def test_blend_modes_mix_as_their_names_say(blend: str, expected: tuple[int, ...]) -> None:
    """Known colours give the known mixture."""
    base, layer = Image.new("RGB", (2, 2), (100,) * 3), Image.new("RGB", (2, 2), (200, 100, 0))
    seen = pixel(laid(base, layer, blend=blend), 0, 0)
    assert all(abs(a - b) <= 1 for a, b in zip(seen, expected, strict=True))


def test_a_blend_over_nothing_shows_the_layer() -> None:
    """Multiplying with transparent black does not turn the layer black."""
    nothing = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    assert pixel(laid(nothing, DOT, blend="multiply"), 5, 5) == (255, 0, 0, 255)


def test_a_frame_is_stretched_over_the_whole_picture() -> None:
    """With `stretch` every pixel is covered, whatever the frame's shape."""
    frame = Image.new("RGB", (200, 200), (9, 9, 9))
    assert laid(BASE, frame, stretch=True).getcolors() == [(6000, (9, 9, 9))]


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"scale": 0.5}, "10x10 pixels, too few for 50x50"),
        ({"margin": 28}, "too large"),
    ],
)
def test_what_does_not_fit_is_refused(params: dict[str, object], complaint: str) -> None:
    """A logo is neither made up nor cut nor pushed into its margin."""
    with pytest.raises(SpecError, match=complaint) as caught:
        laid(BASE, DOT, **params)
    assert caught.value.problems[0].hint


def test_a_broken_layer_is_named() -> None:
    """The message says which input is not a picture."""
    params = OP.model_validate({"source": {"input": 1}})
    with pytest.raises(PictureError, match="`input 1`"):
        params.apply(BASE, [b"", b"no picture"])


def test_an_input_that_does_not_exist_is_refused() -> None:
    """A recipe whose indices are wrong is caught, not guessed."""
    params = OP.model_validate({"source": {"input": 4}})
    with pytest.raises(SpecError, match="not an input"):
        params.apply(BASE, [b""])


@pytest.mark.parametrize(
    "params", [{"margin": 3, "safe": 0.1}, {"stretch": True, "scale": 0.5}, {"opacity": 0}]
)
def test_parameters_that_contradict_each_other_are_refused(params: dict[str, object]) -> None:
    """Margins exclude each other, and a frame has none."""
    with pytest.raises(TableError):
        OP.model_validate({"source": "logo.png", **params})
