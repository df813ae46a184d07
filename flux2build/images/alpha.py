"""Changes colours without touching transparency, and scales without dark edges."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageChops, ImageFilter


def on_colours(image: Image.Image, work: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """The picture with `work` applied to its colours; its alpha, if any, stays as it is."""
    result = work(image.convert("RGB"))
    if image.mode == "RGBA":
        result.putalpha(image.getchannel("A"))
    return result


def on_solid(
    image: Image.Image, reach: float, work: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """Like `on_colours`, for work that looks at neighbours up to `reach` pixels away.

    Transparent pixels first take the colours beside them: they are usually stored as
    black, which would creep into the edges.
    """
    if image.mode != "RGBA":
        return work(image)
    around = image.convert("RGBa").filter(ImageFilter.GaussianBlur(reach)).convert("RGBA")
    colours = image.convert("RGB")
    solid = Image.composite(colours, around.convert("RGB"), image.getchannel("A"))
    result = work(solid)
    result.putalpha(image.getchannel("A"))
    return result


def scaled(image: Image.Image, width: int, height: int) -> Image.Image:
    """The picture at another size; colours of transparent pixels do not bleed into its edges.

    When a side shrinks to less than a third, Lanczos filtering starts from a picture that was
    averaged to three times the size: nobody sees the difference, and icons take a third of
    the time.
    """
    if image.mode == "RGBA":
        return scaled(image.convert("RGBa"), width, height).convert("RGBA")
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def faded(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture with its alpha multiplied by a mask."""
    result = image.convert("RGBA")
    result.putalpha(ImageChops.multiply(result.getchannel("A"), mask))
    return result
