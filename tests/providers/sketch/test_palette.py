"""Colours come from the prompt, and can be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.images.colour.srgb import Rgb, contrast, from_hex
from flux2build.providers.sketch.palette import of_prompt
from flux2build.providers.sketch.random_source import RandomSource

COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


@given(st.lists(COLOURS, min_size=1, max_size=5, unique=True))
@settings(max_examples=60, deadline=None)
def test_the_palette_holds_the_prompts_colours(colours: list[Rgb]) -> None:
    """Each colour that is named can be seen as a chip, and the ink can be read on the paper."""
    prompt = " and ".join("#{:02x}{:02x}{:02x}".format(*colour) for colour in colours)
    palette = of_prompt(prompt, RandomSource("1"))

    assert tuple(colours) == palette.swatches
    assert contrast(palette.ground, palette.figure) >= 7


@pytest.mark.parametrize("colour", ["#0A84FF", "#1F4E46", "#F2A93B", "#FF2D55"])
def test_the_first_colour_carries_the_picture(colour: str) -> None:
    """A brand colour is the main one, not a detail."""
    assert from_hex(colour) == of_prompt(f"a {colour} scarf", RandomSource("1")).main


def test_a_prompt_without_colours_gets_a_curated_set() -> None:
    """Chance picks among sets that get along; several are used."""
    found = {of_prompt("a fox", RandomSource(str(n))).colours for n in range(40)}

    assert len(found) > 8


@pytest.mark.parametrize(
    ("prompt", "dark"),
    [("a city at night", True), ("a bright airy room", False), ("dark slate", True)],
)
def test_words_set_the_light(prompt: str, dark: bool) -> None:  # noqa: FBT001 - a row of the table
    """Night is dark and day is light, whatever chance says."""
    assert {dark} == {of_prompt(prompt, RandomSource(str(n))).dark for n in range(12)}
