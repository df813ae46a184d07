"""A sketch on a key colour: `key` takes the ground away, and nothing of the subject."""

from __future__ import annotations

import pytest
from PIL import Image

from flux2build.images.colour.srgb import from_hex
from flux2build.images.ops.key import OP
from flux2build.providers.sketch.drawing import draw
from flux2build.providers.sketch.key_colour import KeyColour

PROMPTS = {
    "creature": "a fox in a red scarf, on flat {} ground",
    "bird": "a wren of {}",
    "person": "portrait of a woman, {}",
    "thing": "a {} bottle of perfume",
    "sign": "an icon of a leaf, {} and white",
    "landscape": "green hills, a {} river, magenta and blue flowers",
    "abstract": "a banner with a gradient of {}",
}
BOARD = "six poses of a fox walking, in a row, on {}"


def opacity(prompt: str, colour: str, size: tuple[int, int], *, figures: bool) -> Image.Image:
    """What is left of a sketch on a key colour once that is transparent."""
    key = KeyColour(from_hex(colour), figures=figures)
    image = draw(prompt.format(colour), size, "1", key=key)
    return OP.model_validate({"color": colour}).apply(image, ()).getchannel("A")


@pytest.mark.parametrize("colour", ["#00ff00", "#0000ff", "#ff00ff", "#ffffff", "#000000"])
@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_the_subject_is_kept(prompt: str, colour: str) -> None:
    """The ground goes, the middle stays whole, whatever colours a prompt names."""
    left = opacity(prompt, colour, (256, 256), figures=True)
    middle = left.crop((112, 96, 144, 176)).histogram()

    assert left.getpixel((1, 1)) == left.getpixel((254, 128)) == 0 or "wren" in prompt
    assert sum(middle[250:]) > 0.8 * sum(middle)


@pytest.mark.parametrize("colour", ["#00ff00", "#ffffff"])
def test_no_frame_of_a_board_is_empty(colour: str) -> None:
    """A picture that is cut into frames is a framed scene: there is something in each of them."""
    left = opacity(BOARD, colour, (768, 128), figures=False)
    frames = [left.crop((at, 0, at + 128, 128)).histogram() for at in range(0, 768, 128)]

    assert all(sum(frame[250:]) > 0.5 * sum(frame) for frame in frames)
    assert left.getpixel((0, 64)) == 0


def test_the_scene_is_the_same_on_every_ground() -> None:
    """Only the ground depends on the key's colour, as far as it leaves a figure its colours."""
    key = KeyColour(from_hex("#00ff00"))
    plain, keyed = (draw("a red fox", (256, 256), "1", key=each) for each in (None, key))
    head = (120, 80, 136, 96)

    assert plain.crop(head).tobytes() == keyed.crop(head).tobytes()
    assert plain.tobytes() != keyed.tobytes()
