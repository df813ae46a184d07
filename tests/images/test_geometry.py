"""Anchors and ratios place and shape boxes."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.images.geometry import Anchor, offset, shape, share

SIDES = st.integers(1, 500)


@given(st.sampled_from(get_args(Anchor)), SIDES, SIDES, SIDES, SIDES)
def test_a_box_that_fits_lies_inside(
    anchor: Anchor, width: int, height: int, wider: int, higher: int
) -> None:
    """No anchor pushes a box over the edge."""
    left, top = offset((width + wider, height + higher), (width, height), share(anchor))
    assert 0 <= left <= wider
    assert 0 <= top <= higher


def test_nine_anchors_are_nine_places() -> None:
    """The top left anchor takes none of the spare room, the bottom right one all of it."""
    assert len({share(anchor) for anchor in get_args(Anchor)}) == 9
    assert (share("top-left"), share("center"), share("bottom-right")) == (
        (0, 0),
        (0.5, 0.5),
        (1, 1),
    )


@pytest.mark.parametrize(("ratio", "value"), [("16:9", 16 / 9), ("1.91:1", 1.91), ("3:4", 0.75)])
def test_a_ratio_is_width_over_height(ratio: str, value: float) -> None:
    """Ratios are written as people say them."""
    assert shape(ratio) == value


@pytest.mark.parametrize("ratio", ["16/9", "16:0", "-1:2", "", "1:2:3", "a:b"])
def test_what_is_no_ratio_is_refused(ratio: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(ValueError, match='write `"16:9"`'):
        shape(ratio)
