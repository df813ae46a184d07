"""`cutout`: alpha from a mask, never more than there was."""

from __future__ import annotations

from PIL import Image

from flux2build.images.ops.cutout import Cutout


def left_half(seen: Image.Image) -> Image.Image:
    """A network that finds the figure on the left, at a small size of its own."""
    assert seen.mode == "RGB"
    mask = Image.new("L", (16, 16))
    mask.paste(255, (0, 0, 8, 16))
    return mask


def test_the_figure_stays_and_the_ground_goes() -> None:
    """A mask of any size cuts at the size of the picture; colours stay."""
    made = Cutout(model="x").drawn(Image.new("RGB", (160, 80), "teal"), left_half)

    assert made.mode == "RGBA"
    assert made.getpixel((20, 40)) == (0, 128, 128, 255)
    assert made.getpixel((140, 40)) == (0, 128, 128, 0)


def test_what_is_transparent_stays_so() -> None:
    """The network sees it as white, and its alpha is never more than it was."""
    image = Image.new("RGBA", (160, 80), (200, 10, 10, 90))
    seen: list[object] = []

    def network(part: Image.Image) -> Image.Image:
        seen.append(part.getpixel((0, 0)))
        return left_half(part)

    made = Cutout(model="x").drawn(image, network)

    assert made.getchannel("A").getextrema() == (0, 90)
    assert seen == [(236, 169, 169)]


def test_feather_softens_the_edge() -> None:
    """Further pixels are neither figure nor ground."""

    def soft(feather: float) -> int:
        made = Cutout(model="x", feather=feather).drawn(Image.new("RGB", (16, 16)), left_half)
        return sum(made.getchannel("A").histogram()[8:248])

    assert soft(0) < soft(2) < soft(12)
    assert Cutout(model="x", feather=3).drawn(Image.new("RGB", (1, 1)), left_half).size == (1, 1)
