"""Colours that nobody can see never show, whatever is done to a picture."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from flux2build.images.decode import decode
from flux2build.images.encode import encode, flatten
from flux2build.images.ops import OPS
from flux2build.images.ops.contract import Op
from tests.images.ops.test_every_op import SAMPLES

SIZE = (48, 36)
COLOURS = st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
STEPS: list[tuple[str, dict[str, Any]]] = [
    *SAMPLES.items(),
    ("resize", {"width": 7}),
    ("resize", {"width": 96, "upscale": True}),
    ("rotate", {"degrees": 33, "expand": False}),
]


def figure(hidden: tuple[int, int, int]) -> Image.Image:
    """A soft-edged orange disc on nothing, with a colour stored where nothing is."""
    mask = Image.new("L", SIZE, 0)
    ImageDraw.Draw(mask).ellipse((10, 6, 38, 30), fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(1.5)).point(lambda level: max(0, level - 8))
    image = Image.new("RGB", SIZE, hidden)
    image.paste((240, 140, 40), mask=mask.point(lambda level: 255 if level else 0))
    image.putalpha(mask)
    return image


def inputs() -> list[bytes]:
    """A further picture for the operations that take one."""
    target = io.BytesIO()
    figure((255, 255, 255)).save(target, "png")
    return [b"", target.getvalue()]


def apart(one: Image.Image, two: Image.Image) -> int:
    """The largest difference of any channel, seen on white and on black."""
    flattened = [(flatten(one, colour), flatten(two, colour)) for colour in ("#fff", "#000")]
    differences = [ImageChops.difference(*pair).convert("RGB") for pair in flattened]
    return max(max(each.tobytes()) for each in differences)


@pytest.mark.parametrize(("name", "params"), STEPS)
@given(hidden=COLOURS)
@settings(max_examples=12, deadline=None)
def test_hidden_colours_do_not_show(
    name: str, params: dict[str, Any], hidden: tuple[int, int, int]
) -> None:
    """What can be seen afterwards does not depend on what could not be seen before."""
    op: type[Op] = OPS[name]
    first, second = (
        op.model_validate(params).apply(figure(colour), inputs()) for colour in ((0, 0, 0), hidden)
    )
    assert apart(first, second) <= 2


@pytest.mark.parametrize(
    "encoding",
    [
        {"format": "png"},
        {"format": "png", "palette": 256},
        {"format": "webp"},
        {"format": "webp", "lossless": True},
        {"format": "avif"},
        {"format": "jpeg", "matte": "#fff"},
        {"format": "avif", "matte": "#fff"},
    ],
)
@given(hidden=COLOURS)
@settings(max_examples=6, deadline=None)
def test_hidden_colours_do_not_bleed_into_a_file(
    encoding: dict[str, Any], hidden: tuple[int, int, int]
) -> None:
    """A file looks the same on white, at its edges too, whatever was stored under its alpha."""
    seen = [
        flatten(decode(encode(figure(colour), encoding), "x"), "#fff")
        for colour in ((0, 0, 0), hidden)
    ]
    assert apart(*seen) <= {"png": 0, "webp": 30, "jpeg": 0, "avif": 12}[encoding["format"]]
    assert apart(seen[1], flatten(figure(hidden), "#fff")) <= 30
