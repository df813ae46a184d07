"""Letters that join, stack or run to the left, shaped as the operation `text` shapes them."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from flux2build.images.colour.srgb import Rgb
from flux2build.images.lettering.breaks import clusters
from flux2build.images.lettering.faces import bundled
from flux2build.images.lettering.ink import filled
from flux2build.images.lettering.layout import Box, Placed
from flux2build.images.lettering.shaping import Line, Paragraph, Style


@lru_cache(maxsize=512)
def shaped(run: str) -> Line:
    """The glyphs of some words."""
    faces = bundled(None)
    # A mark on a letter of another script is in no font together with it.
    able = (c if any(face.has(c) for face in faces) else c[0] for c in clusters(run))
    text = "".join(able)
    return Paragraph(text, Style(faces)).line(0, len(text))


def draw(image: Image.Image, at: tuple[int, int], line: Line, size: int, paint: Rgb) -> None:
    """Draw glyphs; `at` is the start of their base line."""
    area = Box(-size, -2 * size, round(line.breadth * size) + 2 * size, 3 * size)
    mask = filled([Placed(line, 0, 0)], size, area)
    image.paste(paint, (at[0] + area.left, at[1] + area.top), mask)
