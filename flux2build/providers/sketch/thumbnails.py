"""Thumbnails of the references, numbered as the prompt counts them, with their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageOps

from flux2build.images.colour.oklab import mix
from flux2build.providers.sketch.canvas import Box, Canvas
from flux2build.providers.sketch.lettering import Type, elide, measure, write
from flux2build.providers.sketch.overlays import Stamp, margin, type_size
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.words import plain

_SMALLEST: Final = 24
"""The smallest side, in pixels, at which a thumbnail shows anything."""
_NAME: Final = 8


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One reference; it has no picture if its bytes cannot be decoded."""

    box: Box
    number: str
    name: str
    type: int
    picture: Image.Image | None

    @property
    def window(self) -> Box:
        """The box in which the picture shows."""
        inner = self.box.inset(self.box.width * 0.06)
        return Box(inner.left, inner.top, inner.right, inner.top + inner.width)

    def paint(self, canvas: Canvas, palette: Palette) -> None:
        """Draw the print's white border and shadow, and a crossed box if there is no picture."""
        box, window = self.box, self.window
        deep = box.width * 0.14
        canvas.glow(
            Box(box.left - deep, box.top, box.right + deep, box.bottom + deep * 1.4),
            palette.ink,
            0.4,
        )
        canvas.box(box, palette.paper, radius=box.width * 0.05)
        if self.picture is None:
            faint = mix(palette.paper, palette.ink, 0.4)
            canvas.box(window, mix(palette.paper, palette.ink, 0.1))
            edges = ((window.left, window.top), (window.right, window.bottom))
            other = ((window.left, window.bottom), (window.right, window.top))
            for edge in (edges, other):
                canvas.line(edge, box.width * 0.015, faint)

    def letter(self, image: Image.Image, palette: Palette) -> None:
        """Draw the picture, its number and its name."""
        window = self.window
        if self.picture is not None:
            image.paste(self.picture, (round(window.left), round(window.top)))
        if self.type:
            wide = measure(self.name, self.type)
            x = self.box.left + max(self.box.width * 0.06, (self.box.width - wide) / 2)
            y = window.bottom + self.type * 0.22
            write(image, (x, y), self.name, Type(self.type, palette.ink))
        size = max(9, round(self.box.width * 0.13))
        wide = measure(self.number, size) + size * 0.8
        tag = (
            window.left,
            window.top,
            window.left + max(wide, size * 1.4),
            window.top + size * 1.4,
        )
        ImageDraw.Draw(image).rectangle(tag, fill=palette.ink)
        x = (tag[0] + tag[2] - measure(self.number, size)) / 2
        write(image, (x, tag[1] + size * 0.14), self.number, Type(size, palette.paper))


def thumbnails(
    references: Sequence[tuple[str, bytes]], width: int, height: int, mark: Stamp
) -> list[Thumbnail]:
    """Lay out a row of as many references as fit; the last one says how many did not."""
    edge = margin(width, height)
    side = round(min((width * height) ** 0.5 * 0.15, height * 0.3, width * 0.28))
    kind = round(type_size(width, height) * 0.58)
    kind = kind if kind >= _NAME else 0
    gap = max(2, side // 9)
    free, top = mark.box.left - 2 * edge, float(edge)
    if free < side * 1.2:
        free, top = width - 2 * edge, mark.box.bottom + edge
    count = min(len(references), int((free + gap) // (side + gap)))
    if side < _SMALLEST or top + side * 1.3 > height * 0.7:
        return []
    boxes = [edge + number * (side + gap) for number in range(count)]
    high = side + (kind * 1.5 if kind else 0)
    return [
        _thumbnail(Box(left, top, left + side, top + high), number, references, kind, count)
        for number, left in enumerate(boxes)
    ]


def _thumbnail(
    box: Box, number: int, references: Sequence[tuple[str, bytes]], kind: int, count: int
) -> Thumbnail:
    name, data = references[number]
    left_out = len(references) - count if number == count - 1 else 0
    label = f"{number + 1} +{left_out}" if left_out else str(number + 1)
    stem = plain(name.rpartition("/")[2]) or "reference"
    blank = Thumbnail(box, label, elide(stem, kind, box.width * 0.92) if kind else "", kind, None)
    size = round(blank.window.width)
    return Thumbnail(blank.box, blank.number, blank.name, kind, _decoded(data, size))


@lru_cache(maxsize=12)
def _decoded(data: bytes, side: int) -> Image.Image | None:
    """Decode a picture as a small square; return None if it cannot be decoded.

    Scenes of one family share their references, so the last few are kept.
    """
    try:
        with Image.open(BytesIO(data)) as image:
            image.draft("RGB", (side * 2, side * 2))
            image.thumbnail((side * 4, side * 4), Image.Resampling.BILINEAR, reducing_gap=2)
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Exception:  # noqa: BLE001 - decoders raise nearly anything on hostile bytes
        return None
    flat = Image.new("RGBA", upright.size, "white")
    flat.alpha_composite(upright)
    return ImageOps.fit(flat.convert("RGB"), (side, side), Image.Resampling.BILINEAR)
