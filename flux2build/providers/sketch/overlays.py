"""What is drawn over the scene: the caption and the stamp."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

from PIL import Image

from flux2build.images.colour.oklab import mix
from flux2build.providers.sketch.canvas import Box, Canvas
from flux2build.providers.sketch.lettering import LEADING, Type, measure, wrap, write
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.words import readable

MARK: Final = "SKETCH"
_SMALLEST: Final = 10
"""The smallest type that can be read; pictures without room for it have no caption."""


class Overlay(Protocol):
    """Something drawn over the scene: first its shapes, then, at full size, its type."""

    def paint(self, canvas: Canvas, palette: Palette) -> None:
        """Draw the shapes."""

    def letter(self, image: Image.Image, palette: Palette) -> None:
        """Draw the type and the pictures."""


@dataclass(frozen=True, slots=True)
class Caption:
    """The wrapped lines of the caption, and the box they lie in."""

    box: Box
    lines: tuple[str, ...]
    size: int

    def paint(self, canvas: Canvas, palette: Palette) -> None:
        """Draw the card, its shadow, and the colours as chips on its edge."""
        box, size = self.box, self.size
        shade = Box(
            box.left - size, box.top - size * 0.4, box.right + size, box.bottom + size * 1.6
        )
        canvas.glow(shade, palette.ink, 0.35)
        canvas.box(box, _plate(palette), radius=size * 0.45)
        radius = size * 0.48
        x = box.right - size * 0.9 - radius
        for colour in reversed(palette.swatches):
            if x < box.left + radius:
                break
            canvas.circle((x, box.top), radius * 1.22, _plate(palette))
            canvas.circle((x, box.top), radius * 1.04, mix(_plate(palette), palette.figure, 0.2))
            canvas.circle((x, box.top), radius, colour)
            x -= radius * 2.1

    def letter(self, image: Image.Image, palette: Palette) -> None:
        """Write the words on the card."""
        x, y = self.box.left + self.size * 0.85, self.box.top + self.size * 0.68
        for number, line in enumerate(self.lines):
            write(
                image, (x, y + number * self.size * LEADING), line, Type(self.size, palette.figure)
            )


@dataclass(frozen=True, slots=True)
class Stamp:
    """The mark that this is a sketch, with the picture's size if there is room."""

    box: Box
    note: str
    size: int

    def paint(self, canvas: Canvas, palette: Palette) -> None:
        """Draw the pill, or a folded corner in a picture that is too small for words."""
        if not self.size:
            corner = [
                (self.box.left, self.box.top),
                (self.box.right, self.box.top),
                (self.box.right, self.box.bottom),
            ]
            canvas.polygon(corner, palette.figure)
            return
        canvas.box(self.box, palette.figure, radius=self.box.height / 2)

    def letter(self, image: Image.Image, palette: Palette) -> None:
        """Write the words on the pill."""
        if not self.size:
            return
        x, y = self.box.left + self.size, self.box.top + self.size * 0.32
        gap = _gap(self.size)
        write(image, (x, y), MARK, Type(self.size, palette.ground, gap))
        x += measure(MARK, self.size, gap) + self.size * 0.5
        faint = mix(palette.ground, palette.figure, 0.35)
        write(image, (x, y), self.note, Type(self.size, faint))


def caption(prompt: str, width: int, height: int) -> Caption | None:
    """Lay out the caption of a prompt; return None without words or room for them."""
    size = type_size(width, height)
    if not size or not (text := readable(prompt)):
        return None
    edge = margin(width, height)
    pad = size * 0.85
    most = min(width - 2 * edge, size * 38) - 2 * pad
    room = max(1, int((height * 0.28 - size * 1.3) / (size * LEADING)))
    lines = wrap(text, size, most, min(room, 4 if height > width else 3))
    wide = max(measure(line, size) for line in lines) + 2 * pad
    high = len(lines) * size * LEADING + size * 1.15
    bottom = height - edge
    return Caption(Box(edge, bottom - high, edge + max(wide, size * 6), bottom), tuple(lines), size)


def stamp(width: int, height: int) -> Stamp:
    """Lay out the mark for a picture of a size."""
    size = max(8, round(type_size(width, height) * 0.78))
    edge = margin(width, height)
    mark = measure(MARK, size, _gap(size)) + 2 * size
    note = f"{width}x{height}"
    full = mark + size * 0.5 + measure(note, size)
    for text, wide in ((note, full), ("", mark)):
        if wide <= width - 2 * edge and size * 1.9 <= height * 0.5:
            left = width - edge - wide
            return Stamp(Box(left, edge, left + wide, edge + size * 1.9), text, size)
    fold = min(width, height) * 0.4
    return Stamp(Box(width - fold, 0, width, fold), "", 0)


def type_size(width: int, height: int) -> int:
    """Return the size of the caption's type in pixels; 0 if it could not be read."""
    if width < 96 or height < 64:
        return 0
    size = min(math.sqrt(width * height) * 0.027, height * 0.085, width * 0.075)
    return max(_SMALLEST, round(size))


def margin(width: int, height: int) -> int:
    """Return the distance in pixels between overlays and the edge."""
    return max(2, round(min(math.sqrt(width * height) * 0.03, min(width, height) * 0.07)))


def _gap(size: int) -> float:
    return size * 0.14


def _plate(palette: Palette) -> tuple[int, int, int]:
    """The colour behind type: slightly off the background, so that it stands out."""
    return mix(palette.ground, palette.figure, 0.07 if palette.dark else 0)
