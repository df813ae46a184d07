"""Colours are found in texts by their hex notation."""

from __future__ import annotations

import pytest

from flux2build.images.colour.srgb import Rgb, hexes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a #0A84FF scarf", [(10, 132, 255)]),
        ("#fff, then #000.", [(255, 255, 255), (0, 0, 0)]),
        ("#0A84FF80 and #0a84ff", [(10, 132, 255)]),
        ("#12345 #zzz issue#123456 &#123;", []),
    ],
)
def test_colours_are_found_in_order(text: str, found: list[Rgb]) -> None:
    """Hex colours count once each, in order of appearance; look-alikes do not."""
    assert found == list(hexes(text))
