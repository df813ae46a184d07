"""Tints, shades and mixtures are what an eye expects."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.images.colour.oklab import lightness, mix, tone
from flux2build.images.colour.srgb import Rgb

COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


@given(COLOURS, COLOURS)
@settings(max_examples=60, deadline=None)
def test_mixing_keeps_its_ends(one: Rgb, other: Rgb) -> None:
    """No share of a colour is the other one, within rounding."""
    for mixed, pure in ((mix(one, other, 0), one), (mix(one, other, 1), other)):
        assert max(abs(a - b) for a, b in zip(mixed, pure, strict=True)) <= 1


@given(COLOURS, st.floats(0.1, 0.95))
@settings(max_examples=60, deadline=None)
def test_a_tone_has_the_lightness_asked_for(colour: Rgb, light: float) -> None:
    """A tint or shade is as light as it was asked to be, whatever its hue."""
    assert lightness(tone(colour, light=light)) == pytest.approx(light, abs=0.02)
