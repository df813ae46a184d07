"""Which scene a prompt gets."""

from __future__ import annotations

from collections import Counter

import pytest

from flux2build.providers.sketch.canvas import Box, Canvas
from flux2build.providers.sketch.palette import of_prompt
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import _FAMILIES, Scene, _calls, choose


def words(scene: Scene) -> str:
    """The words that call for a scene."""
    return next(family.words for family in _FAMILIES if scene in {family.draw, family.drawing})


@pytest.mark.parametrize(
    ("prompt", "first"),
    [
        ("a friendly fox in a blue scarf", "fox"),
        ("three foxes in the snow", "fox"),
        ("the mascot of our shop, a bear", "bear"),
        ("a product shot of a mug", "mug"),
        ("product shot", "product"),
        ("an icon of a heart", "heart"),
        ("a developer tool for the city", "city"),
        ("hero with a skyline, no people", "city"),
        ("an office with a view of hills", "office"),
        ("Picture-book illustration of a meadow", "hill"),
    ],
)
def test_words_call_for_scenes(prompt: str, first: str) -> None:
    """What is named first is the subject; a thing stands in for `a product shot`."""
    assert _calls(prompt.lower())[0].words.startswith(first)


def test_the_subject_nearly_always_wins() -> None:
    """Words steer gently: later ones may win now and then."""
    seen = Counter(words(choose("a fox in a city", RandomSource(str(n)))) for n in range(200))

    assert seen.most_common(1)[0][0].startswith("fox")
    assert len(seen) == 2


def test_a_prompt_that_calls_for_nothing_gets_any_scene() -> None:
    """Chance spreads unnamed prompts over many families."""
    assert len({words(choose("zzz", RandomSource(str(n)))) for n in range(200)}) >= 10


@pytest.mark.parametrize("number", range(len(_FAMILIES)))
@pytest.mark.parametrize("prompt", ["at night #FF2D55", "by day"])
def test_every_scene_can_be_drawn(number: int, prompt: str) -> None:
    """Each family fills square, wide and tall pictures, by day and by night."""
    family = _FAMILIES[number]
    for draw in filter(None, (family.draw, family.drawing)):
        for shape in ((96, 96), (160, 40), (30, 150)):
            canvas = Canvas(*shape, Box(4, 4, shape[0] - 4, shape[1] - 4), (255, 0, 255))
            draw(canvas, of_prompt(prompt, RandomSource("1")), RandomSource(str(number)))

            assert shape == canvas.finish().size
