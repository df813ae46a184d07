"""What a sketch promises as a file: size, format, mark, and the same bytes each time."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from flux2build.images.colour.srgb import hexes
from flux2build.providers.sketch.drawing import draw, picture

FOX = "a friendly fox in a #0A84FF scarf, full body, plain background"
HOSTILE = (
    "",
    " \n\t ",
    "\x00\x01\x1b[31m red \x7f\ud800",
    "🦊🦊🦊 👩‍👩‍👧‍👦",
    "مرحبا بالعالم, שלום עולם",
    "日本語のプロンプト、桜の下の狐",
    "word " * 12_288,
    "x" * 61_440,
    "{" * 5_000,
    "[" * 100_000,
    '{"scene": ["a", {"b": null}], "n": 1.5}',
    "{{ braces }} {% tags %} <b>&amp;</b> ${HOME} %s",
    "#fff #000 #zzz #12345 #0A84FF80 ###",
)


def opened(data: bytes) -> Image.Image:
    """The picture in a file, decoded in full."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures' channels, from 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


@pytest.mark.parametrize(("form", "name"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_the_file_is_of_the_size_and_format_asked_for(form: str, name: str) -> None:
    """A sketch has exactly the pixels and the format that the picture will have."""
    image = opened(picture(FOX, 328, 184, form, "1"))

    assert image.size == (328, 184)
    assert name == image.format
    assert image.mode == "RGB"


@given(width=st.integers(16, 4096), height=st.integers(16, 300), token=st.text(max_size=4))
@settings(max_examples=25, deadline=None)
def test_any_size_can_be_drawn(width: int, height: int, token: str) -> None:
    """No size between a favicon and a wide banner is too odd."""
    shape = (width, height) if len(token) % 2 else (height, width)

    assert shape == draw("a tea shop on a hill", shape, token, [("logo", b"no picture")]).size


def test_other_processes_draw_the_same_bytes() -> None:
    """A sketch depends on its arguments alone, not on the process that draws it."""
    code = (
        "import hashlib, sys; from flux2build.providers.sketch.drawing import picture;"
        "data = [picture(sys.argv[1], 200, 150, form, 't') for form in ('png', 'jpeg', 'webp')];"
        "print(hashlib.sha256(b''.join(data)).hexdigest())"
    )
    root = Path(__file__).parents[3]
    told = subprocess.run(
        [sys.executable, "-c", code, FOX], capture_output=True, text=True, check=True, cwd=root
    )
    drawn = b"".join(picture(FOX, 200, 150, form, "t") for form in ("png", "jpeg", "webp"))

    assert hashlib.sha256(drawn).hexdigest() == told.stdout.strip()


@pytest.mark.parametrize(
    "prompt", [FOX, "a bottle on a plinth", "city at night", "hills", "portrait of a woman", "?"]
)
def test_seeds_differ_visibly(prompt: str) -> None:
    """Another token gives another picture, not another byte."""
    first, *others = (draw(prompt, (256, 256), str(token)) for token in range(4))

    assert min(difference(first, other) for other in others) > 3


def test_prompts_differ_visibly() -> None:
    """Two prompts are told apart at a glance."""
    assert difference(draw("a fox", (256, 256), "1"), draw("a bear", (256, 256), "1")) > 6


def test_a_png_says_that_it_is_a_sketch() -> None:
    """The mark and the prompt are in the text chunks, and no time is."""
    image = opened(picture(FOX, 64, 64, "png", "1"))
    packet = image.info.pop("XML:com.adobe.xmp")
    image.info.pop("xmp")

    assert {
        "Software": "flux2build sketch",
        "Description": f"A sketch, not a render: {FOX}",
    } == image.info
    assert "digitalsourcetype/algorithmicMedia" in packet


@pytest.mark.parametrize("form", ["jpeg", "webp"])
def test_exif_says_that_it_is_a_sketch(form: str) -> None:
    """The mark and the prompt are in EXIF where there are no text chunks."""
    exif = opened(picture(FOX, 64, 64, form, "1")).getexif()

    assert exif[0x0131] == "flux2build sketch"
    assert f"A sketch, not a render: {FOX}" == exif[0x010E]
    assert len(exif) == 2


@pytest.mark.parametrize("prompt", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_no_prompt_is_too_hostile(prompt: str, form: str) -> None:
    """Any text gives a picture and readable metadata."""
    image = opened(picture(prompt, 240, 160, form, "1", [(prompt, b"")]))

    assert image.size == (240, 160)


def test_an_unknown_format_is_refused() -> None:
    """A format that a sketch cannot write is a plain error."""
    with pytest.raises(ValueError, match="as gif"):
        picture(FOX, 64, 64, "gif", "1")


def test_the_prompts_colours_are_in_the_picture() -> None:
    """Each colour that a prompt names is there to be picked, exactly."""
    prompt = "#0A84FF scarf, #F2A93B leaves, #1F4E46 ground"
    seen = {colour for _, colour in draw(prompt, (640, 480), "1").getcolors(640 * 480) or []}

    assert set(hexes(prompt)) <= seen


def test_a_resized_comp_keeps_its_scene() -> None:
    """The same token draws the same scene at another size, so that a layout can be tried."""
    large = draw("hills", (800, 600), "1").resize((400, 300))

    assert difference(large, draw("hills", (400, 300), "1")) < 12
