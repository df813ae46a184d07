"""Ink: placed lines as masks; letters by HarfBuzz's rasteriser, strokes along their outlines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Final

import uharfbuzz as hb
from PIL import Image, ImageDraw

from flux2build.images.lettering.faces import Face
from flux2build.images.lettering.layout import Box, Placed

_Point = tuple[float, float]
_FINE: Final = 4
"""Strokes are drawn enlarged by this factor, then averaged."""
_CURVE: Final = 8
"""Straight segments per curve of an outline."""


def filled(placed: Iterable[Placed], size: int, box: Box) -> Image.Image:
    """The letters, as a mask of a box; nothing outside it is drawn."""
    raster = hb.RasterDraw()
    raster.extents = hb.RasterExtents(0, 0, box.width, box.height, box.width)
    for face, number, x, y in _glyphs(placed, size, box):
        scale = size / face.grid
        raster.transform = (scale, 0, 0, -scale, x, y)
        raster.draw_glyph(face.font, number)
    image = raster.render()
    if image is None:
        raise MemoryError
    return Image.frombytes("L", (box.width, box.height), image.buffer)


def stroked(placed: Iterable[Placed], size: int, box: Box, width: float) -> Image.Image:
    """The letters' outlines drawn with a round pen that reaches `width` pixels outwards."""
    large = Image.new("L", (box.width * _FINE, box.height * _FINE))
    pen = ImageDraw.Draw(large)
    reach = width * _FINE
    for face, number, x, y in _glyphs(placed, size, box):
        scale = size / face.grid * _FINE
        for contour in _contours(face, number):
            points = [(x * _FINE + a * scale, y * _FINE - b * scale) for a, b in contour]
            pen.line([*points, points[0]], fill=255, width=max(1, round(2 * reach)))
            for a, b in points:
                pen.ellipse((a - reach, b - reach, a + reach, b + reach), fill=255)
    return large.reduce(_FINE)


def _glyphs(
    placed: Iterable[Placed], size: int, box: Box
) -> Iterator[tuple[Face, int, float, float]]:
    """Every glyph with its origin, in pixels of the box."""
    for one in placed:
        for glyph in one.line.glyphs:
            x, y = one.x - box.left + glyph.x * size, one.y - box.top - glyph.y * size
            yield glyph.face, glyph.number, x, y


def _contours(face: Face, number: int) -> list[list[_Point]]:
    """A glyph's outlines as polygons, in units of its font."""
    contours: list[list[_Point]] = []
    face.font.draw_glyph(number, _TRACER, contours)
    return [contour for contour in contours if contour]


def _tracer() -> hb.DrawFuncs:
    tracer = hb.DrawFuncs()
    tracer.set_move_to_func(lambda x, y, contours: contours.append([(x, y)]))
    tracer.set_line_to_func(lambda x, y, contours: contours[-1].append((x, y)))
    tracer.set_quadratic_to_func(_curve)
    tracer.set_cubic_to_func(_curve)
    return tracer


def _curve(*numbers: Any) -> None:
    """Appends a curve of any order to the last contour, by de Casteljau's rule."""
    *coordinates, contours = numbers
    start: _Point = contours[-1][-1]
    points = [start, *zip(coordinates[::2], coordinates[1::2], strict=True)]
    for step in range(1, _CURVE + 1):
        contours[-1].append(_point(points, step / _CURVE))


def _point(points: list[_Point], at: float) -> _Point:
    if len(points) == 1:
        return points[0]
    nearer = [(a[0] + (b[0] - a[0]) * at, a[1] + (b[1] - a[1]) * at) for a, b in pairwise(points)]
    return _point(nearer, at)


_TRACER: Final = _tracer()
