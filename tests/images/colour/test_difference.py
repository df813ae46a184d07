"""Differences are those of the published formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.images.colour.difference import (
    Lab,
    ciede2000,
    difference,
    lab,
)

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_published_pairs(one: Lab, other: Lab, wanted: float) -> None:
    """The pairs that Sharma, Wu and Dalal give to test the formula with."""
    assert ciede2000(one, other) == pytest.approx(wanted, abs=5e-5)


@given(COLOURS, COLOURS)
def test_differences_are_symmetric_and_none_of_a_colour_from_itself(one: str, other: str) -> None:
    """It does not matter which colour is asked about."""
    assert difference(one, other) == pytest.approx(difference(other, one))
    assert difference(one, one) == 0


def test_known_colours_in_cielab() -> None:
    """White is all light; red is where textbooks put it."""
    assert lab("#ffffff") == pytest.approx((100, 0, 0), abs=0.02)
    assert lab("#ff0000") == pytest.approx((53.24, 80.09, 67.20), abs=0.02)
