"""`key` removes one colour and keeps the figure in front of it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image, ImageDraw

from flux2build.errors import SpecError
from flux2build.images.ops.key import OP


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


def figure(background: str, ink: str = "#f0f0eb", size: int = 200) -> Image.Image:
    """A smooth disc on a background of one colour."""
    image = Image.new("RGB", (size * 4, size * 4), background)
    ImageDraw.Draw(image).ellipse((size, size, size * 3, size * 3), fill=ink)
    return image.resize((size, size), Image.Resampling.BOX)


def visible(image: Image.Image) -> Iterator[tuple[int, ...]]:
    """The pixels that can be seen well."""
    return (seen for seen in zip(*[iter(image.tobytes())] * 4, strict=True) if seen[3] > 64)


@pytest.mark.parametrize("background", ["#00ff00", "#14eb1e", "#0000ff", "#ff00ff"])
def test_the_background_goes_and_the_figure_stays(background: str) -> None:
    """Less than half a percent of the background is left, and the figure is opaque."""
    keyed = applied(figure(background), color=background)
    outside = keyed.getchannel("A").crop((0, 0, 200, 40))
    assert outside.getextrema() == (0, 0)
    assert keyed.getchannel("A").crop((70, 70, 130, 130)).getextrema() == (255, 255)
    covered = sum(keyed.getchannel("A").tobytes()) / 255 / 200 / 200
    assert abs(covered - 3.14159 / 16) < 0.005


def test_no_green_is_left_in_the_edges() -> None:
    """A white disc on green has no pixel in which green rules."""
    assert all(g <= max(r, b) + 8 for r, g, b, _a in visible(applied(figure("#00ff00"))))


def test_edges_are_not_dark() -> None:
    """What was mixed with the key comes out in the colour of the figure."""
    assert all(min(seen[:3]) > 170 for seen in visible(applied(figure("#00ff00"))))


def test_without_spill_colours_stay_as_they_were() -> None:
    """`spill = 0` changes alpha only."""
    image = figure("#00ff00")
    assert applied(image, spill=0).convert("RGB").tobytes() == image.tobytes()


def test_white_can_be_a_key() -> None:
    """A colour without a hue is recognized by its lightness."""
    keyed = applied(figure("#ffffff", "#204080"), color="white", tolerance=0.1)
    assert pixel(keyed, 2, 2)[3] == 0
    assert pixel(keyed, 100, 100) == (0x20, 0x40, 0x80, 255)


def test_transparency_that_was_there_stays() -> None:
    """A hole in the picture is a hole after keying."""
    image = figure("#00ff00").convert("RGBA")
    image.putalpha(0)
    assert applied(image).getchannel("A").getextrema() == (0, 0)


def test_a_bad_background_is_refused_when_asked() -> None:
    """A background that lacks the colour, or has it only in part, cannot be cut cleanly."""
    strict = {"color": "#00ff00", "residue": 0.1}
    with pytest.raises(SpecError, match="nothing in the picture has the colour"):
        applied(Image.new("RGB", (20, 20), "red"), **strict)
    muddy = Image.new("RGB", (20, 20), (0, 255, 0))
    muddy.paste((90, 190, 90), (0, 0, 20, 8))
    with pytest.raises(SpecError, match=r"40\.0% of the picture is neither"):
        applied(muddy, **strict)
    clean = Image.new("RGB", (20, 20), (0, 255, 0))
    clean.paste((200, 30, 30), (5, 5, 15, 15))
    assert applied(clean, **strict).mode == "RGBA"


def test_a_red_figure_keeps_no_green_rim() -> None:
    """Edges that JPEG has mixed with the background have no more green than red has of its own."""
    target = io.BytesIO()
    figure("#00ff00", "#aa2832").save(target, "jpeg", quality=90)
    done = applied(Image.open(target).convert("RGB"), color="#00ff00")
    seen = list(visible(done))
    assert len(seen) > 7000
    assert max(green - max(40, blue) for _, green, blue, _ in seen) <= 25


def test_a_yellow_figure_keeps_its_edges_yellow() -> None:
    """Taking green out of edges leaves the green that the figure itself has."""
    done = applied(figure("#00ff00", "#f0dc28"), color="#00ff00", tolerance=0.1, softness=0.2)
    seen = visible(done)
    assert min(green / red for red, green, _, _ in seen) > 0.85
