"""Colours come from the prompt, and can be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.providers.sketch.colour import Rgb, contrast, from_hex, hexes, lightness, mix, tone
from flux2build.providers.sketch.palette import of_prompt
from flux2build.providers.sketch.random_source import Chance

COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


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


@given(st.lists(COLOURS, min_size=1, max_size=5, unique=True))
@settings(max_examples=60, deadline=None)
def test_the_palette_holds_the_prompts_colours(colours: list[Rgb]) -> None:
    """Each colour that is named can be seen as a chip, and the ink can be read on the paper."""
    prompt = " and ".join("#{:02x}{:02x}{:02x}".format(*colour) for colour in colours)
    palette = of_prompt(prompt, Chance("1"))

    assert tuple(colours) == palette.swatches
    assert contrast(palette.ground, palette.figure) >= 7


@pytest.mark.parametrize("colour", ["#0A84FF", "#1F4E46", "#F2A93B", "#FF2D55"])
def test_the_first_colour_carries_the_picture(colour: str) -> None:
    """A brand colour is the main one, not a detail."""
    assert from_hex(colour) == of_prompt(f"a {colour} scarf", Chance("1")).main


def test_a_prompt_without_colours_gets_a_curated_set() -> None:
    """Chance picks among sets that get along; several are used."""
    found = {of_prompt("a fox", Chance(str(n))).colours for n in range(40)}

    assert len(found) > 8


@pytest.mark.parametrize(
    ("prompt", "dark"),
    [("a city at night", True), ("a bright airy room", False), ("dark slate", True)],
)
def test_words_set_the_light(prompt: str, dark: bool) -> None:  # noqa: FBT001 - a row of the table
    """Night is dark and day is light, whatever chance says."""
    assert {dark} == {of_prompt(prompt, Chance(str(n))).dark for n in range(12)}


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
