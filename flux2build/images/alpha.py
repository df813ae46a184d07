"""Work on colours that leaves transparency, and the edges of it, alone."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageChops, ImageFilter


def on_colours(image: Image.Image, work: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """The picture with `work` done on its colours; its alpha, if any, stays as it is."""
    done = work(image.convert("RGB"))
    if image.mode == "RGBA":
        done.putalpha(image.getchannel("A"))
    return done


def on_solid(
    image: Image.Image, reach: float, work: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """Like `on_colours`, for work that looks at neighbours up to `reach` pixels away.

    Pixels that cannot be seen first take the colours beside them, because what
    is usually stored there is black, and black would creep into the edges.
    """
    if image.mode != "RGBA":
        return work(image)
    around = image.convert("RGBa").filter(ImageFilter.GaussianBlur(reach)).convert("RGBA")
    colours = image.convert("RGB")
    solid = Image.composite(colours, around.convert("RGB"), image.getchannel("A"))
    done = work(solid)
    done.putalpha(image.getchannel("A"))
    return done


def scaled(image: Image.Image, width: int, height: int) -> Image.Image:
    """The picture at another size, its edges smooth and in the colours of what can be seen.

    Where a side shrinks to less than a third, Lanczos filtering starts from a picture that was
    averaged to three times the size: nobody sees the difference, and icons take a third of
    the time.
    """
    if image.mode == "RGBA":
        return scaled(image.convert("RGBa"), width, height).convert("RGBA")
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def faded(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture with its alpha multiplied by a mask."""
    done = image.convert("RGBA")
    done.putalpha(ImageChops.multiply(done.getchannel("A"), mask))
    return done
