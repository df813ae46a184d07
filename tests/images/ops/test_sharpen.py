"""`sharpen` raises the contrast of edges, and of nothing else."""

from __future__ import annotations

from PIL import Image

from flux2build.images.ops.sharpen import OP


def applied(image: Image.Image, **params: object) -> Image.Image:
    """The picture after the operation with these parameters."""
    return OP.model_validate(params).apply(image, [])


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The channels of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(channel) for channel in found)


def test_edges_gain_contrast_and_flat_parts_stay() -> None:
    """Beside an edge, dark becomes darker and light lighter."""
    image = Image.new("RGB", (20, 4), (80, 80, 80))
    image.paste((180, 180, 180), (10, 0, 20, 4))
    crisp = applied(image, amount=1)
    assert pixel(crisp, 9, 2)[0] < 80
    assert pixel(crisp, 10, 2)[0] > 180
    assert pixel(crisp, 1, 2) == (80, 80, 80)


def test_transparent_edges_have_no_halo() -> None:
    """Black stored under transparency is not sharpened as an edge, and alpha stays."""
    image = Image.new("RGBA", (40, 10), (0, 0, 0, 0))
    image.paste((120, 130, 140, 255), (20, 0, 40, 10))
    crisp = applied(image, amount=5, radius=3)
    assert crisp.getchannel("A").tobytes() == image.getchannel("A").tobytes()
    near = pixel(crisp, 20, 5)
    assert max(abs(a - b) for a, b in zip(near[:3], (120, 130, 140), strict=True)) <= 2
