"""Colours are compared as people with each kind of colour vision see them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.images.colour import srgb
from flux2build.images.colour.vision import Vision, contrast, luminance

VISIONS: tuple[Vision, ...] = ("usual", "protan", "deutan", "tritan")
COLOURS = st.tuples(*(st.integers(0, 255),) * 3)


@given(COLOURS, COLOURS)
def test_usual_vision_sees_the_contrast_that_wcag_defines(one: srgb.Rgb, other: srgb.Rgb) -> None:
    """Without a deficiency nothing is simulated."""
    assert contrast(one, other, "usual") == pytest.approx(srgb.contrast(one, other))


@given(st.integers(0, 255), st.sampled_from(VISIONS))
def test_nobody_sees_a_grey_differently(level: int, vision: Vision) -> None:
    """A grey has the same luminance to everybody."""
    grey = (level, level, level)
    assert luminance(grey, vision) == pytest.approx(luminance(grey, "usual"), abs=1e-5)


@given(COLOURS, COLOURS, st.sampled_from(VISIONS))
def test_contrast_is_a_symmetric_ratio(one: srgb.Rgb, other: srgb.Rgb, vision: Vision) -> None:
    """It lies between 1 and 21, whichever colour is in front."""
    ratio = contrast(one, other, vision)
    assert ratio == contrast(other, one, vision)
    assert 1 <= ratio <= 21.0001


def test_red_is_darker_to_those_who_do_not_see_it() -> None:
    """Protanopia takes most of red's light away, blue's loss takes hardly any."""
    red = (255, 0, 0)
    usual, protan, deutan, tritan = (luminance(red, vision) for vision in VISIONS)
    assert protan < usual / 1.8 < usual < deutan
    assert tritan == pytest.approx(usual, abs=0.01)
