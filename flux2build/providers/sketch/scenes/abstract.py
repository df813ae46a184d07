"""Pictures of nothing: shapes in balance, tiles, rays and flowing bands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Final

from flux2build.images.colour.oklab import lift, mix, tone
from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, Point, oval, shaded, square
from flux2build.providers.sketch.local_coordinates import LocalCanvas, star
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import Scene


def shapes(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """A few large plain shapes that overlap, as on a poster of the twenties."""
    ground = mix(palette.ground, palette.second, 0.07)
    canvas.box(canvas.frame, Blend(ground, mix(ground, palette.accent, 0.1)))
    unit = min(canvas.width, canvas.height)
    colours = rng.shuffled([*palette.colours, palette.figure])
    count = 1 + max(1, min(6, round(max(canvas.width, canvas.height) / unit / 1.2)))
    for number in range(count):
        share = (number + 0.5) / count
        along = canvas.width > canvas.height
        x = canvas.width * (share if along else rng.between(0.3, 0.7))
        y = canvas.height * (rng.between(0.25, 0.6) if along else share)
        _group(canvas, rng, (x, y), (unit, colours[number % 4], colours[(number + 1) % 4]))
    x, y = canvas.stage.middle
    _group(canvas, rng, (x, y), (unit * 1.15, palette.main, palette.accent))


def _group(canvas: Canvas, rng: RandomSource, at: Point, look: tuple[float, Rgb, Rgb]) -> None:
    unit, one, other = look
    x, y = at
    size = unit * rng.between(0.2, 0.3)
    match rng.whole(0, 4):
        case 0:
            canvas.circle(at, size, shaded(one, 0.04, -0.05))
            canvas.polygon(oval(square(x, y, size), -90, 90), other)
        case 1:
            turn = rng.pick((0, 90, 180, 270))
            canvas.polygon([(x, y), *oval(square(x, y, size * 1.6), turn, turn + 90)], one)
            canvas.circle((x, y), size * 0.42, other)
        case 2:
            for ring in range(4):
                canvas.circle(at, size * (1.15 - ring * 0.28), (one, other)[ring % 2])
        case 3:
            for bar in range(6):
                left = x - size + bar * size * 0.36
                canvas.box(Box(left, y - size, left + size * 0.18, y + size), one)
            canvas.circle((x + size * 0.3, y + size * 0.2), size * 0.6, other)
        case _:
            foot = y + size * 0.8
            canvas.polygon([(x - size, foot), (x + size, foot), (x, y - size)], one)
            canvas.box(Box(x - size * 1.25, foot, x + size * 1.25, y + size * 0.95), other)


def tiles(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """A block-printed pattern of quarter circles, petals, dots and steps."""
    unit = min(canvas.width, canvas.height)
    cell = unit / rng.whole(3, 5) if unit >= 48 else unit / 2
    motifs = rng.shuffled((0, 1, 2, 3, 4, 5))[:3]
    pale = mix(palette.ground, palette.main, 0.14)
    grounds = (palette.ground, palette.ground, pale, pale, palette.main, palette.second)
    inks = (*palette.colours, palette.figure)
    for row in range(int(canvas.height / cell) + 1):
        for column in range(int(canvas.width / cell) + 1):
            box = Box(column * cell, row * cell, (column + 1) * cell, (row + 1) * cell)
            ground = rng.pick(grounds)
            canvas.box(box, ground)
            paint = rng.pick([ink for ink in inks if ink != ground])
            _tile(canvas, box, (rng.pick(motifs), rng.whole(0, 3)), (paint, ground))


def _tile(canvas: Canvas, box: Box, motif: tuple[int, int], paints: tuple[Rgb, Rgb]) -> None:
    kind, turn = motif
    paint, ground = paints
    cell, (x, y) = box.width, box.middle
    corners = box.corners[turn:] + box.corners[:turn]
    corner, angle = corners[0], turn * 90

    def quarter(share: float, colour: Rgb) -> None:
        arc = oval(square(*corner, cell * share), angle, angle + 90)
        canvas.polygon([corner, *arc], colour)

    match kind:
        case 0:
            quarter(1, paint)
            quarter(0.5, ground)
        case 1:
            start = oval(square(*corner, cell), angle, angle + 90)
            end = oval(square(*corners[2], cell), angle + 180, angle + 270)
            canvas.polygon([*start, *end], paint)
        case 2:
            canvas.circle((x, y), cell * 0.34, paint)
            canvas.circle((x, y), cell * 0.15, ground)
        case 3:
            canvas.polygon(corners[:3], paint)
        case 4:
            for share, colour in ((1.0, paint), (0.75, ground), (0.5, paint), (0.25, ground)):
                quarter(share, colour)
        case _:
            for across, down in product((0.25, 0.75), repeat=2):
                dot = box.left + cell * across, box.top + cell * down
                canvas.circle(dot, cell * 0.11, paint)


def rays(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """Rays that burst from one point behind a disc."""
    x, y = canvas.stage.middle
    y += canvas.stage.height * rng.between(-0.05, 0.15)
    count = rng.pick((10, 12, 14, 16, 18))
    reach = math.hypot(canvas.width, canvas.height)
    one, other = mix(palette.ground, palette.main, 0.3), mix(palette.ground, palette.second, 0.12)
    canvas.box(canvas.frame, other)
    start = rng.between(0, 360 / count)
    for ray in range(count):
        turns = start + ray * 360 / count, start + (ray + 0.5) * 360 / count
        edge = oval(square(x, y, reach), *turns)
        canvas.polygon([(x, y), edge[0], edge[-1]], one)
    canvas.glow(square(x, y, reach * 0.55), lift(palette.ground, 0.08), 0.7)
    unit = canvas.stage.short
    for radius, colour in ((0.4, palette.accent), (0.345, palette.paper), (0.325, palette.main)):
        canvas.circle((x, y), unit * radius, colour)
    points, inner = rng.pick((5, 6, 8, 12)), rng.between(0.45, 0.7)
    local = LocalCanvas(canvas, x, y, unit * 0.25)
    local.polygon(star(points, 1, inner), palette.paper)
    canvas.circle((x, y), unit * 0.25 * inner * 0.5, palette.accent)


def bands(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """Wide ribbons that flow across, each a shade on from the last."""
    unit = min(canvas.width, canvas.height)
    high, low = mix(palette.ground, palette.main, 0.1), mix(palette.ground, palette.accent, 0.22)
    canvas.box(canvas.frame, Blend(high, low))
    wide = canvas.width / unit
    shift, often = rng.between(0, math.tau), wide * rng.between(0.45, 0.75)
    slope = canvas.height * rng.between(-0.25, 0.25)
    count = rng.whole(5, 7)
    for band in range(count):
        share = band / (count - 1)
        if share < 0.5:
            colour = mix(palette.accent, palette.second, share * 2)
        else:
            colour = mix(palette.second, palette.main, share * 2 - 1)
        colour = palette.veil(colour, 0.45 * (1 - share))
        line = []
        for step in range(65):
            along = step / 64
            bend = math.sin(math.tau * often * along + shift + share * 2.1)
            bend += 0.4 * math.sin(math.tau * often * 1.7 * along + shift * 2 + share)
            y = canvas.height * (0.2 + 0.62 * share) + slope * (along - 0.5) + bend * unit * 0.09
            line.append((canvas.width * along, y))
        shape = [*line, (canvas.width, canvas.height), (0, canvas.height)]
        deep = mix(colour, palette.ink if palette.dark else palette.main, 0.35)
        canvas.polygon(shape, Blend(colour, deep))
        canvas.line(line, unit * 0.008, mix(colour, palette.paper, 0.4))
    disc = canvas.width * rng.pick((0.22, 0.3, 0.7, 0.78)), canvas.height * 0.2
    canvas.circle(disc, unit * rng.between(0.07, 0.11), tone(palette.accent, 0.8))


SCENES: Final[Mapping[str, Scene]] = {
    "shapes": shapes,
    "tiles": tiles,
    "rays": rays,
    "bands": bands,
}
