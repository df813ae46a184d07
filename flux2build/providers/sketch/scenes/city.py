"""A skyline: three depths of towers, lit windows, a moon or a sun between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flux2build.images.colour.oklab import lift, mix, tone
from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, shaded
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import Scene
from flux2build.providers.sketch.scenes.landscape import clouds, light_of, sky, sun


def scene(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """The skyline over its reflection or its street."""
    unit = min(canvas.width, canvas.height)
    ground = canvas.height * rng.between(0.82, 0.9)
    sky(canvas, palette)
    where = canvas.width * rng.between(0.25, 0.75), ground - unit * rng.between(0.45, 0.62)
    sun(canvas, palette, where, unit * rng.between(0.1, 0.16))
    clouds(canvas, palette, rng, ground * 0.7)
    for depth in range(3):
        far = mix(palette.main, palette.second, 0.5 - 0.2 * depth)
        colour = mix(far, palette.ink, 0.2 + 0.25 * depth)
        _row(canvas, palette, rng, (depth, ground, palette.veil(colour, (0.6, 0.3, 0.0)[depth])))
    floor = mix(palette.main, palette.ink, 0.72)
    canvas.box(canvas.below(ground), Blend(floor, lift(floor, -0.08)))
    canvas.box(Box(0, ground, canvas.width, ground + unit * 0.008), mix(palette.accent, floor, 0.2))


def _row(canvas: Canvas, palette: Palette, rng: RandomSource, row: tuple[int, float, Rgb]) -> None:
    depth, ground, colour = row
    unit = min(canvas.width, canvas.height)
    x = -unit * rng.between(0, 0.1)
    while x < canvas.width:
        wide = unit * rng.between(0.075, 0.15) * (1 + 0.12 * depth)
        tall = unit * rng.between(0.22, 0.6 - 0.12 * depth)
        tower = Box(x, ground - tall, x + wide, ground + 1)
        canvas.box(tower, shaded(colour, 0.03, -0.04))
        side = Box(tower.right - wide * 0.26, tower.top, tower.right, tower.bottom)
        canvas.box(side, lift(colour, -0.05))
        _roof(canvas, palette, rng, (tower, colour))
        if depth:
            _windows(canvas, palette, rng, (tower, colour))
        x += wide + unit * (rng.between(0.0, 0.05) if depth < 2 else rng.between(0.02, 0.16))


def _roof(canvas: Canvas, palette: Palette, rng: RandomSource, built: tuple[Box, Rgb]) -> None:
    tower, colour = built
    (left, top), (right, _), *_ = tower.corners
    middle, wide = tower.middle[0], tower.width
    match rng.whole(0, 5):
        case 0:
            canvas.polygon([(left, top), (middle, top - wide * 0.5), (right, top)], colour)
        case 1:
            floor = Box(left + wide * 0.2, top - wide * 0.28, right - wide * 0.2, top)
            canvas.box(floor, colour)
            tip = top - wide * 0.9
            canvas.box(Box(middle - wide * 0.02, tip, middle + wide * 0.02, top), colour)
            canvas.circle((middle, tip), wide * 0.05, palette.accent)
        case 2:
            slope = [(left, top), (right, top - wide * 0.45), (right, top)]
            canvas.polygon(slope, lift(colour, -0.03))
        case 3:
            canvas.ellipse(Box(left, top - wide * 0.5, right, top + wide * 0.5), colour)
        case _:
            canvas.box(Box(left + wide * 0.12, top - wide * 0.14, right - wide * 0.4, top), colour)


def _windows(canvas: Canvas, palette: Palette, rng: RandomSource, built: tuple[Box, Rgb]) -> None:
    tower, colour = built
    lit = tone(light_of(palette), 0.86, 0.09) if palette.dark else palette.paper
    unlit = mix(colour, palette.ink, 0.25)
    columns = rng.whole(3, 4)
    step = tower.width * 0.74 / (columns + 0.6)
    rows = int(tower.height * 0.9 / (step * 1.7))
    for row in range(min(rows, 16)):
        y = tower.top + step * (0.8 + row * 1.7)
        for column in range(columns):
            x = tower.left + step * (0.6 + column)
            paint = lit if rng.flip(0.36) else unlit
            canvas.box(Box(x, y, x + step * 0.55, y + step * 0.85), paint)


SCENES: Final[Mapping[str, Scene]] = {"scene": scene}
