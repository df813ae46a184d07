"""The overlays of a scene: the caption, the stamp and thumbnails of the references."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from PIL import Image, ImageDraw, ImageOps

from flux2build.images.colour.oklab import mix
from flux2build.images.decode import opened
from flux2build.providers.sketch.canvas import Box, Canvas
from flux2build.providers.sketch.lettering import LEADING, Type, elide, measure, wrap, write
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.words import plain, readable

MARK: Final = "SKETCH"
_SMALLEST: Final = 10
"""The smallest type that can be read; pictures without room for it have no caption."""
_THUMBNAIL: Final = 24
"""The smallest side, in pixels, at which a thumbnail shows anything."""
_NAME: Final = 8
"""The smallest type of a thumbnail's name."""


class Caption(Struct, frozen=True):
    """The wrapped lines of the caption, and the box they lie in."""

    box: Box
    lines: tuple[str, ...]
    size: int

    def paint(self, canvas: Canvas, palette: Palette) -> None:
        """Draw the card, its shadow, and the colours as chips on its edge."""
        box, size = self.box, self.size
        top, bottom = box.top - size * 0.4, box.bottom + size * 1.6
        shade = Box(box.left - size, top, box.right + size, bottom)
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
            at = x, y + number * self.size * LEADING
            write(image, at, line, Type(self.size, palette.figure))


class Stamp(Struct, frozen=True):
    """The mark that this is a sketch, with the picture's size if there is room."""

    box: Box
    note: str
    size: int

    def paint(self, canvas: Canvas, palette: Palette) -> None:
        """Draw the pill, or a folded corner in a picture that is too small for words."""
        if not self.size:
            canvas.polygon(self.box.corners[:3], palette.figure)
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


class Thumbnail(Struct, frozen=True):
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
        shade = Box(box.left - deep, box.top, box.right + deep, box.bottom + deep * 1.4)
        canvas.glow(shade, palette.ink, 0.4)
        canvas.box(box, palette.paper, radius=box.width * 0.05)
        if self.picture is None:
            faint = mix(palette.paper, palette.ink, 0.4)
            canvas.box(window, mix(palette.paper, palette.ink, 0.1))
            one, other, third, fourth = window.corners
            for edge in ((one, third), (fourth, other)):
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
        wide = measure(self.number, size)
        (left, top), right = window.corners[0], window.left + max(wide + size * 0.8, size * 1.4)
        ImageDraw.Draw(image).rectangle((left, top, right, top + size * 1.4), fill=palette.ink)
        x = (left + right - wide) / 2
        write(image, (x, top + size * 0.14), self.number, Type(size, palette.paper))


Overlay = Caption | Stamp | Thumbnail
"""It paints its shapes on the canvas; later it writes its words at full size."""


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
    if side < _THUMBNAIL or top + side * 1.3 > height * 0.7:
        return []
    lefts = [edge + number * (side + gap) for number in range(count)]
    bottom = top + (side + kind * 1.5)
    boxes = [Box(left, top, left + side, bottom) for left in lefts]
    return [_thumbnail(box, n, references, kind, count) for n, box in enumerate(boxes)]


def _thumbnail(
    box: Box, number: int, references: Sequence[tuple[str, bytes]], kind: int, count: int
) -> Thumbnail:
    name, data = references[number]
    left_out = len(references) - count if number == count - 1 else 0
    label = f"{number + 1} +{left_out}" if left_out else str(number + 1)
    stem = plain(name.rpartition("/")[2]) or "reference"
    name = elide(stem, kind, box.width * 0.92) if kind else ""
    blank = Thumbnail(box, label, name, kind, None)
    return replace(blank, picture=_decoded(data, round(blank.window.width)))


@lru_cache(maxsize=12)
def _decoded(data: bytes, side: int) -> Image.Image | None:
    """Decode a picture as a small square; return None if it cannot be decoded.

    Scenes of one family share their references, so the last few are kept.
    """
    try:
        _, picture = opened(data, "reference")
        with picture as image:
            image.draft("RGB", (side * 2, side * 2))
            image.thumbnail((side * 4, side * 4), Image.Resampling.BILINEAR, reducing_gap=2)
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Exception:  # noqa: BLE001 - decoders raise nearly anything on hostile bytes
        return None
    flat = Image.new("RGBA", upright.size, "white")
    flat.alpha_composite(upright)
    return ImageOps.fit(flat.convert("RGB"), (side, side), Image.Resampling.BILINEAR)


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
