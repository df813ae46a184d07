"""A canvas with local coordinates, so that a thing can be drawn at any place and size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Box, Canvas, Paint, Point, around, oval, square

_STEPS = 10


class LocalCanvas(Struct, frozen=True):
    """Draws around an origin: 1 is `unit` pixels, y grows downwards, a `flip` of -1 mirrors."""

    canvas: Canvas
    x: float
    y: float
    unit: float
    flip: int = 1

    def at(self, point: Point) -> Point:
        """Return the pixel coordinates of a point."""
        return self.x + self.flip * point[0] * self.unit, self.y + point[1] * self.unit

    def polygon(self, points: Sequence[Point], paint: Paint, alpha: float = 1) -> None:
        """Draw a shape with corners."""
        self.canvas.polygon([self.at(point) for point in points], paint, alpha)

    def blob(self, points: Sequence[Point], paint: Paint, alpha: float = 1) -> None:
        """Draw a round shape through points."""
        self.polygon(smooth(points), paint, alpha)

    def oval(self, middle: Point, radii: Point, paint: Paint, turn: float = 0) -> None:
        """Draw an ellipse, turned by some degrees."""
        (x, y), (across, down) = middle, radii
        if not turn:
            left, top = self.at((x - across * self.flip, y - down))
            right, bottom = self.at((x + across * self.flip, y + down))
            self.canvas.ellipse(Box(left, top, right, bottom), paint)
            return
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        round_ = oval(Box(-across, -down, across, down))
        self.polygon([(x + a * cos - b * sin, y + a * sin + b * cos) for a, b in round_], paint)

    def bar(self, box: Box, paint: Paint, radius: float = 0, alpha: float = 1) -> None:
        """Draw a rectangle with round corners."""
        (x0, y0), (x1, y1) = self.at((box.left, box.top)), self.at((box.right, box.bottom))
        placed = Box(min(x0, x1), y0, max(x0, x1), y1)
        self.canvas.box(placed, paint, radius * self.unit, alpha)

    def line(self, points: Sequence[Point], width: float, paint: Rgb, alpha: float = 1) -> None:
        """Draw a stroke with round ends."""
        thick = max(1.0, width * self.unit)
        placed = [self.at(point) for point in points]
        self.canvas.line(placed, thick, paint, alpha)
        if alpha == 1:
            for end in (placed[0], placed[-1]):
                self.canvas.circle(end, thick / 2, paint)

    def ring(self, middle: Point, radius: float, width: float, paint: Rgb) -> None:
        """Draw the outline of a circle."""
        placed = [self.at(point) for point in oval(square(*middle, radius))]
        self.canvas.line([*placed, placed[1]], max(1.0, width * self.unit), paint)

    def shade(self, middle: Point, radii: Point, paint: Rgb, alpha: float) -> None:
        """Draw a soft shadow or light."""
        box = around(*self.at(middle), radii[0] * self.unit, radii[1] * self.unit)
        self.canvas.glow(box, paint, alpha)


@lru_cache(maxsize=256)
def path(text: str) -> tuple[Point, ...]:
    """Parse points written as in SVG: `x,y x,y`."""
    pairs = (pair.split(",") for pair in text.split())
    return tuple((float(x), float(y)) for x, y in pairs)


def mirrored(half: Sequence[Point]) -> list[Point]:
    """A closed outline, symmetric about x = 0, from the points of one half."""
    return [*half, *((-x, y) for x, y in reversed(half) if x)]


def star(points: int, outer: float, inner: float) -> list[Point]:
    """The outline of a star around the origin."""
    radii = (outer, inner) * points
    turns = (step * math.pi / points for step in range(points * 2))
    return [(r * math.sin(t), -r * math.cos(t)) for r, t in zip(radii, turns, strict=True)]


def smooth(points: Sequence[Point]) -> list[Point]:
    """Return a closed Catmull-Rom curve through points."""
    around_again = [points[-1], *points, *points[:2]]
    return [
        _between(around_again[index : index + 4], step / _STEPS)
        for index in range(len(points))
        for step in range(_STEPS)
    ]


def _between(four: Sequence[Point], t: float) -> Point:
    def along(axis: int) -> float:
        a, b, c, d = (point[axis] for point in four)
        return 0.5 * (
            2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3
        )

    return along(0), along(1)
