"""Letters are compared with the pixels under them, and with nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flux2build.images.colour.notation import rgba
from flux2build.images.colour.srgb import contrast
from flux2build.images.legibility import ratios
from flux2build.images.ops.contract import Letters

LEVELS = st.sampled_from([0, 2, 3, 64, 127, 128, 200, 252, 255])
COLOURS = st.tuples(LEVELS, LEVELS, LEVELS)


def bar(*stripes: tuple[int, ...], color: str = "#ffffff") -> Letters:
    """A letter as wide as all stripes below it, each of ten pixels, in the middle of a black picture."""
    ground = Image.new("RGBA", (10 * len(stripes), 30), "black")
    for at, colour in enumerate(stripes):
        ground.paste(colour, (10 * at, 10, 10 * at + 10, 20))
    mask = Image.new("L", ground.size)
    mask.paste(255, (0, 10, ground.width, 20))
    return Letters(mask, ground, color, 12)


def usual(letters: Letters, share: float = 1, page: str | None = None) -> float | None:
    """The ratio as people with usual vision see it."""
    return ratios(letters, ["usual"], share, page).get("usual")


@given(COLOURS, COLOURS)
def test_one_colour_in_front_of_another_has_their_contrast(
    front: tuple[int, int, int], behind: tuple[int, int, int]
) -> None:
    """Up to what the coarse levels of a channel blur, it is WCAG's ratio of the two."""
    color = "#" + "".join(f"{channel:02x}" for channel in front)
    assert usual(bar(behind, color=color)) == pytest.approx(contrast(front, behind), rel=0.12)


def test_the_pixels_beside_the_letters_do_not_count() -> None:
    """White on white is invisible, however dark the rest of the picture is."""
    assert usual(bar((255, 255, 255))) == 1


@pytest.mark.parametrize(("share", "worst"), [(1, 1), (0.75, 1), (0.5, 21), (0.25, 21)])
def test_the_share_says_how_many_pixels_must_reach_the_ratio(share: float, worst: float) -> None:
    """Half of the letter is in front of black, the other half in front of white."""
    letters = bar((0, 0, 0), (255, 255, 255))
    assert usual(letters, share) == pytest.approx(worst)


def test_what_is_transparent_counts_in_front_of_a_page_only() -> None:
    """Without a page there is nothing to compare with; a half transparent pixel shows it, too."""
    clear = bar((0, 0, 0, 0))
    assert usual(clear) is None
    assert usual(clear, page="#000000") == pytest.approx(21)
    assert usual(clear, page="#ffffff") == 1
    assert usual(bar((0, 0, 0, 0), (255, 255, 255, 255))) == 1


def test_translucent_letters_are_mixed_with_what_is_below() -> None:
    """Half of white in front of black is a grey."""
    half = rgba("#ffffff80")[3]
    grey = (half, half, half)
    assert usual(bar((0, 0, 0), color="#ffffff80")) == pytest.approx(contrast(grey, (0, 0, 0)))


def test_nothing_set_is_nothing_to_read() -> None:
    """Letters without ink, such as a space, have no contrast."""
    ground = Image.new("RGBA", (8, 8))
    assert ratios(Letters(Image.new("L", (8, 8)), ground, "#fff", 9), ["usual"], 1, None) == {}
