"""`upscale`: tile by tile without seams, alpha apart, and nothing that would be too large."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageFilter

from flux2build.errors import Flux2BuildError
from flux2build.images.ops.contract import Canvas, Lettered, Network
from flux2build.images.ops.upscale import Upscale


def drawn(size: tuple[int, int]) -> Image.Image:
    """A picture without a flat spot."""
    channels = [Image.linear_gradient("L").rotate(turn).resize(size) for turn in (0, 90, 180)]
    return Image.merge("RGB", channels)


def blurry(scale: int, sizes: list[tuple[int, int]] | None = None) -> Network:
    """A network that sees six pixels around each one."""

    def network(part: Image.Image) -> Image.Image:
        assert part.mode == "RGB"
        if sizes is not None:
            sizes.append(part.size)
        soft = part.filter(ImageFilter.BoxBlur(6))
        return soft.resize((part.width * scale, part.height * scale), Image.Resampling.NEAREST)

    return network


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (40, 41), (173, 90)])
def test_tiles_leave_no_seam(scale: int, size: tuple[int, int]) -> None:
    """A picture comes out of its tiles as it would in one piece, and no tile is large."""
    image, sizes = drawn(size), list[tuple[int, int]]()
    made = Upscale(model="art", scale=scale).drawn(image, blurry(scale, sizes))

    whole = blurry(scale)(image)
    assert made.size == whole.size
    assert ImageChops.difference(made, whole).getbbox() is None
    assert max(max(each) for each in sizes) <= 64


def test_edges_are_no_darker_than_the_rest() -> None:
    """Networks take what is beyond an edge for black, so they see more of the same there."""

    def network(part: Image.Image) -> Image.Image:
        framed = Image.new("RGB", (part.width + 16, part.height + 16))
        framed.paste(part, (8, 8))
        soft = framed.filter(ImageFilter.BoxBlur(8)).crop((8, 8, part.width + 8, part.height + 8))
        return soft.resize((part.width * 2, part.height * 2))

    made = Upscale(model="art", scale=2).drawn(Image.new("RGB", (50, 3), "white"), network)

    assert made.getcolors() == [(600, (255, 255, 255))]


def test_a_network_of_another_scale_serves() -> None:
    """What comes out at four times the size is made smaller."""
    image = drawn((50, 30))
    made = Upscale(model="photo", scale=2).drawn(image, blurry(4))

    assert made.size == (100, 60)
    expected = image.filter(ImageFilter.BoxBlur(6)).resize(made.size)
    channels = ImageChops.difference(made, expected).split()
    assert all(channel.histogram()[12:] == [0] * 244 for channel in channels)


def test_alpha_goes_apart() -> None:
    """What is solid stays solid, and the black of transparent pixels does not creep into edges."""
    image = Image.new("RGBA", (60, 60))
    image.paste((250, 200, 20, 255), (15, 15, 45, 45))
    made = Upscale(model="art", scale=2).drawn(image, blurry(2))

    red, _, _, alpha = made.split()
    assert alpha.crop((34, 34, 86, 86)).getextrema() == (255, 255)
    assert alpha.crop((0, 0, 27, 120)).getextrema() == (0, 0)
    visible = Image.composite(
        red, Image.new("L", red.size, 250), alpha.point(lambda v: 255 * (v > 0))
    )
    assert sum(visible.histogram()[:245]) == 0


def test_an_outline_keeps_its_colour() -> None:
    """What is beyond an edge has the colour of the edge, and not that of what lies behind it."""
    image = Image.new("RGBA", (60, 60))
    image.paste((40, 20, 0, 255), (12, 12, 48, 48))
    image.paste((255, 190, 40, 255), (17, 17, 43, 43))
    seen: list[Image.Image] = []

    def network(part: Image.Image) -> Image.Image:
        seen.append(part)
        return part.resize((part.width * 2, part.height * 2))

    Upscale(model="art", scale=2).drawn(image, network)

    beside = seen[0].getpixel((12 + 10, 12 + 30))
    assert isinstance(beside, tuple)
    assert beside[0] < 60


def test_what_is_foreseen_comes_true_or_is_refused() -> None:
    """The plan knows the size, and refuses one that no build makes."""
    op = Upscale(model="art", scale=3)
    canvas = op.foreseen(Canvas((20, 10), (Lettered(1, 2, 3, 4, "text"),)), [])

    assert canvas == Canvas((60, 30), (Lettered(3, 6, 9, 12, "text"),))
    assert op.foreseen(None, []) is None
    with pytest.raises(Flux2BuildError, match="too large to make"):
        op.foreseen(Canvas((4000, 4000)), [])
