"""A canvas with smooth edges: everything is painted enlarged, then reduced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct
from PIL import Image, ImageChops, ImageDraw

from flux2build.images.colour.oklab import lift
from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.key_colour import KeyColour

Point = tuple[float, float]
Pixels = tuple[int, int, int, int]

_SHADES: Final = 160
"""Steps of a blend; more than eyes can tell apart."""

_FALLOFF: Final = tuple(
    (near := max(0.0, 1 - distance / 180)) * near * (3 - 2 * near) for distance in range(256)
)
"""1 in the centre, 0 at the edge, without a visible rim; Pillow's spot is 181 at its edge."""


class Box(Struct, frozen=True):
    """A rectangle in the picture's pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Its width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Its height."""
        return self.bottom - self.top

    @property
    def middle(self) -> Point:
        """Its centre."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        """Its corners, clockwise from the upper left."""
        (left, top, right, bottom) = (self.left, self.top, self.right, self.bottom)
        return (left, top), (right, top), (right, bottom), (left, bottom)

    @property
    def short(self) -> float:
        """The length of its shorter side."""
        return min(self.width, self.height)

    def inset(self, by: float) -> Box:
        """Return the box inside it, `by` away from every side."""
        return Box(self.left + by, self.top + by, self.right - by, self.bottom - by)


def around(x: float, y: float, across: float, down: float) -> Box:
    """The box that reaches so far from a point."""
    return Box(x - across, y - down, x + across, y + down)


def square(x: float, y: float, radius: float) -> Box:
    """The box around a circle."""
    return around(x, y, radius, radius)


class Blend(Struct, frozen=True):
    """A paint that runs from one colour to another, downwards or across."""

    start: Rgb
    end: Rgb
    across: bool = False


Paint = Rgb | Blend


def shaded(colour: Rgb, start: float, end: float, *, across: bool = False) -> Blend:
    """A blend of one colour, lifted by two amounts."""
    return Blend(lift(colour, start), lift(colour, end), across)


class Canvas:
    """Paints in the picture's pixels; `finish` gives the picture.

    Gradients and haze have no edges, so they are painted at the real size; the
    first shape that has edges makes the canvas larger. `stage` is the part that no
    label will cover: a subject belongs there. `key` is a colour that will be made
    transparent: the picture then lies on it, and nothing else has it.
    """

    def __init__(
        self, width: int, height: int, stage: Box, paint: Rgb, key: KeyColour | None = None
    ) -> None:
        self.width = width
        self.height = height
        self.stage = stage
        self._scale = 1
        self._key = key
        self._on_key = False
        self._image = Image.new("RGB", (width, height), paint)
        self._pen = ImageDraw.Draw(self._image)
        self._glaze = ImageDraw.Draw(self._image, "RGBA")

    @property
    def frame(self) -> Box:
        """The whole picture."""
        return self.below(0)

    def below(self, y: float) -> Box:
        """The part of the picture below a height."""
        return Box(0, y, self.width, self.height)

    def cut_out(self) -> None:
        """Take away the backdrop that was painted, if the figure is to lie on a key colour."""
        if self._key and self._key.figures:
            self._on_key = True
            self._enlarge()
            self._image.paste(self._key.colour, (0, 0, *self._image.size))

    def lay_on_key(self) -> None:
        """Lay the scene that was painted on the key colour, if there is one."""
        if self._key:
            self._enlarge()
            lay = self._key.kept_apart if self._on_key else self._key.framed
            self._image.paste(lay(self._image))
            self._on_key = True

    def finish(self) -> Image.Image:
        """The picture at its real size, edges smoothed."""
        return self._image if self._scale == 1 else self._image.reduce(self._scale)

    def polygon(self, points: Sequence[Point], paint: Paint, alpha: float = 1) -> None:
        """Draw a closed shape."""
        self._enlarge()
        large = [self._at(point) for point in points]
        if isinstance(paint, Blend):
            self._pour(large, paint)
        else:
            pen, ink = self._dipped(paint, alpha)
            pen.polygon(large, fill=ink)

    def box(self, box: Box, paint: Paint, radius: float = 0, alpha: float = 1) -> None:
        """Draw a rectangle, its corners rounded by `radius`."""
        radius = min(radius, box.short / 2)
        if isinstance(paint, Blend):
            if radius > 0:
                self.polygon(rounded(box, radius), paint)
            elif (visible := self._visible(whole := self._box(box))) is not None:
                self._image.paste(_strip(paint, whole, visible), visible[:2])
            return
        self._enlarge()
        if (large := self._inside(box)) is not None:
            pen, ink = self._dipped(paint, alpha)
            pen.rounded_rectangle(large, radius * self._scale, fill=ink)

    def ellipse(self, box: Box, paint: Paint, alpha: float = 1) -> None:
        """Draw an ellipse that fills a box."""
        if isinstance(paint, Blend):
            self.polygon(oval(box), paint)
            return
        self._enlarge()
        if (large := self._inside(box)) is not None:
            pen, ink = self._dipped(paint, alpha)
            pen.ellipse(large, fill=ink)

    def circle(self, centre: Point, radius: float, paint: Paint, alpha: float = 1) -> None:
        """Draw a disc."""
        self.ellipse(square(*centre, radius), paint, alpha)

    def line(self, points: Sequence[Point], width: float, paint: Rgb, alpha: float = 1) -> None:
        """Draw an open stroke."""
        self._enlarge()
        thick = max(1, round(width * self._scale))
        pen, ink = self._dipped(paint, alpha)
        pen.line([self._at(point) for point in points], fill=ink, width=thick, joint="curve")

    def glow(self, box: Box, paint: Rgb, alpha: float = 1) -> None:
        """Draw a soft spot of light or shade that fades out towards the edge of a box."""
        whole = self._box(box)
        if (visible := self._visible(whole)) is None:
            return
        size = (visible[2] - visible[0], visible[3] - visible[1])
        falloff = Image.radial_gradient("L").point([round(255 * alpha * v) for v in _FALLOFF])
        mask = falloff.resize(size, Image.Resampling.BILINEAR, _part(whole, visible, (256, 256)))
        if self._key and self._on_key:  # no light or shade falls on what will be transparent
            mask = ImageChops.darker(mask, self._key.others(self._image.crop(visible)))
        self._image.paste(paint, visible, mask)

    def _enlarge(self) -> None:
        """Switch from soft backgrounds to shapes with edges, which are painted enlarged."""
        if self._scale == 1 and (scale := _scale(self.width * self.height)) > 1:
            self._scale = scale
            size = (self.width * scale, self.height * scale)
            self._image = self._image.resize(size, Image.Resampling.NEAREST)
            self._pen = ImageDraw.Draw(self._image)
            self._glaze = ImageDraw.Draw(self._image, "RGBA")

    def _dipped(self, paint: Rgb, alpha: float) -> tuple[ImageDraw.ImageDraw, Rgb | Pixels]:
        """Return the pen for a paint; only a translucent paint has to read what lies below."""
        return (self._glaze, (*paint, round(255 * alpha))) if alpha < 1 else (self._pen, paint)

    def _pour(self, large: Sequence[tuple[int, int]], paint: Blend) -> None:
        """Pour a blend through a stencil of the shape."""
        left, right = (side(x for x, _ in large) for side in (min, max))
        top, bottom = (side(y for _, y in large) for side in (min, max))
        whole = (left, top, right + 1, bottom + 1)
        if (visible := self._visible(whole)) is None:
            return
        stencil = Image.new("1", (visible[2] - visible[0], visible[3] - visible[1]))
        moved = [(x - visible[0], y - visible[1]) for x, y in large]
        ImageDraw.Draw(stencil).polygon(moved, fill=1)
        self._image.paste(_strip(paint, whole, visible), visible[:2], stencil)

    def _visible(self, box: Pixels) -> Pixels | None:
        """Return the part of a box that lies on the canvas."""
        width, height = self._image.size
        left, top = max(0, box[0]), max(0, box[1])
        right, bottom = min(width, box[2]), min(height, box[3])
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _at(self, point: Point) -> tuple[int, int]:
        return round(point[0] * self._scale), round(point[1] * self._scale)

    def _box(self, box: Box) -> Pixels:
        """Return the box on the canvas, at least a pixel wide and high."""
        (left, top), _, (right, bottom), _ = map(self._at, box.corners)
        return left, top, max(left + 1, right), max(top + 1, bottom)

    def _inside(self, box: Box) -> Pixels | None:
        """The same as Pillow counts, both edges included; None where nothing is left to draw."""
        left, top, right, bottom = self._box(box)
        return None if box.width <= 0 or box.height <= 0 else (left, top, right - 1, bottom - 1)


def _scale(pixels: int) -> int:
    """Return the factor of enlargement: small pictures deserve the finest edges."""
    if pixels <= 300_000:
        return 4
    return 2 if pixels <= 4_500_000 else 1


def _strip(paint: Blend, whole: Pixels, visible: Pixels) -> Image.Image:
    """The visible part of a blend: a row or column of shades, stretched."""
    shades = bytearray(3 * _SHADES)
    for channel, ends in enumerate(zip(paint.start, paint.end, strict=True)):
        shades[channel::3] = _ramp(*ends)
    size = (_SHADES, 1) if paint.across else (1, _SHADES)
    strip = Image.frombytes("RGB", size, bytes(shades))
    visible_size = (visible[2] - visible[0], visible[3] - visible[1])
    return strip.resize(visible_size, Image.Resampling.NEAREST, _part(whole, visible, size))


@lru_cache(maxsize=1024)
def _ramp(start: int, end: int) -> bytes:
    """The shades of one channel of a blend."""
    return bytes([start + (end - start) * step // (_SHADES - 1) for step in range(_SHADES)])


def _part(
    whole: Pixels, visible: Pixels, size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Where the visible part of a box lies in an image that is stretched over the whole box."""
    across, down = size[0] / (whole[2] - whole[0]), size[1] / (whole[3] - whole[1])
    return (
        (visible[0] - whole[0]) * across,
        (visible[1] - whole[1]) * down,
        (visible[2] - whole[0]) * across,
        (visible[3] - whole[1]) * down,
    )


def oval(box: Box, start: float = 0, end: float = 360) -> list[Point]:
    """Points along an ellipse, from one angle to another, clockwise from three o'clock."""
    (x, y), steps = box.middle, max(8, int(abs(end - start) / 3))
    angles = (math.radians(start + (end - start) * n / steps) for n in range(steps + 1))
    return [
        (x + box.width / 2 * math.cos(angle), y + box.height / 2 * math.sin(angle))
        for angle in angles
    ]


def rounded(box: Box, radius: float) -> list[Point]:
    """The outline of a rectangle with round corners."""
    return [
        point
        for (x, y), angle in zip(box.inset(radius).corners, (180, 270, 0, 90), strict=True)
        for point in oval(square(x, y, radius), angle, angle + 90)
    ]


def side_by_side(middle: float, count: int, unit: float, gap: float) -> list[float]:
    """The centres of some equal things side by side, `gap` units apart."""
    return [middle + (number - (count - 1) / 2) * unit * gap for number in range(count)]
