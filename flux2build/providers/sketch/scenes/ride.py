"""A bicycle on a lane through hills."""

from __future__ import annotations

import math

from flux2build.images.colour.oklab import lift, mix
from flux2build.providers.sketch.canvas import Blend, Box, Canvas
from flux2build.providers.sketch.local_coordinates import LocalCanvas, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes.landscape import (
    clouds,
    grove,
    ridge,
    ridge_colour,
    sky,
    sun,
)


def scene(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """Hills behind, a lane that winds away, and the bicycle in front."""
    unit = min(canvas.width, canvas.height)
    stage = canvas.stage
    horizon = canvas.height * rng.between(0.44, 0.52)
    side = rng.sign()
    sky(canvas, palette)
    sun(canvas, palette, (canvas.width * (0.5 - side * 0.22), horizon - unit * 0.12), unit * 0.1)
    clouds(canvas, palette, rng, horizon)
    for near in (0.0, 0.35):
        colour = ridge_colour(palette, near)
        line = ridge(canvas, rng, horizon + near * unit * 0.12, unit * 0.08)
        canvas.polygon(line, Blend(colour, palette.veil(colour, 0.3)))
        grove(canvas, rng, line, mix(colour, palette.ink, 0.4))
    meadow = ridge_colour(palette, 0.62)
    top = horizon + unit * 0.1
    canvas.polygon(
        ridge(canvas, rng, top, unit * 0.012), Blend(meadow, mix(meadow, palette.ink, 0.3))
    )
    _lane(canvas, palette, top, side)
    size = min(stage.height * 0.9, stage.width * 0.85, canvas.height * 0.62)
    base = min(canvas.height - unit * 0.06, stage.bottom)
    x = stage.middle[0] + side * min(stage.width * 0.16, unit * 0.2)
    bicycle(LocalCanvas(canvas, x, base, size, side), palette)


def _lane(canvas: Canvas, palette: Palette, top: float, side: int) -> None:
    """Gravel, from the lower edge to where it vanishes."""
    gravel = palette.veil(mix(palette.paper, palette.accent, 0.25), 0.25 if palette.dark else 0)
    middle, reach = canvas.width * (0.5 - side * 0.12), canvas.width * 0.5
    left, right = [], []
    for step in range(25):
        share = step / 24
        y = top + (canvas.height - top) * share
        bend = math.sin((1 - share) ** 1.6 * math.pi * 1.5) * reach * 0.3 * share
        half = reach * (0.008 + 0.62 * share**1.7)
        left.append((middle + bend - half, y))
        right.append((middle + bend + half, y))
    canvas.polygon([*left, *reversed(right)], Blend(lift(gravel, -0.06), gravel))


def bicycle(local: LocalCanvas, palette: Palette) -> None:
    """A touring bicycle, 1.2 wide, standing on y = 0, with bags front and back."""
    dark = mix(palette.ink, (18, 18, 22), 0.4)
    frame = palette.main
    back, front, wheel = (-0.36, -0.24), (0.38, -0.24), 0.225
    local.shade((0.02, 0.0), (0.75, 0.05), palette.ink, 0.55)
    for hub in (back, front):
        for number in range(8):
            angle = math.radians(number * 22.5 + 8)
            arm = wheel * math.cos(angle), wheel * math.sin(angle)
            local.line(
                [(hub[0] - arm[0], hub[1] - arm[1]), (hub[0] + arm[0], hub[1] + arm[1])],
                0.004,
                lift(dark, 0.3),
            )
        local.ring(hub, wheel, 0.026, dark)
        local.ring(hub, wheel - 0.024, 0.008, palette.paper)
        local.oval(hub, (0.022, 0.022), dark)
    crank, seat, head = (-0.03, -0.22), (-0.14, -0.58), (0.27, -0.57)
    local.line([(-0.36, -0.52), (-0.36, -0.5), (-0.12, -0.5)], 0.014, dark)
    local.line([back, (-0.32, -0.5)], 0.012, dark)
    for tube in (
        (back, crank),
        (back, (-0.125, -0.53)),
        (crank, seat),
        (crank, (0.285, -0.5)),
        ((-0.127, -0.535), head),
        (head, front),
    ):
        local.line(tube, 0.028, frame)
    local.line([seat, (-0.155, -0.65)], 0.02, dark)
    local.blob(
        path("-0.26,-0.67 -0.16,-0.69 -0.04,-0.67 -0.05,-0.65 -0.16,-0.645 -0.25,-0.64"), dark
    )
    local.line([head, (0.25, -0.67), (0.33, -0.69), (0.38, -0.66), (0.35, -0.61)], 0.022, dark)
    local.oval(crank, (0.055, 0.055), dark)
    local.oval(crank, (0.035, 0.035), lift(dark, 0.25))
    local.line([crank, (0.05, -0.12)], 0.016, dark)
    local.line([(0.02, -0.115), (0.08, -0.115)], 0.018, dark)
    _bags(local, palette)


def _bags(local: LocalCanvas, palette: Palette) -> None:
    cloth, deep = palette.second, mix(palette.second, palette.ink, 0.35)
    local.bar(Box(-0.52, -0.49, -0.26, -0.2), Blend(lift(cloth, 0.04), lift(cloth, -0.06)), 0.035)
    local.bar(Box(-0.52, -0.5, -0.26, -0.39), deep, 0.03)
    for x in (-0.46, -0.34):
        local.bar(Box(x, -0.48, x + 0.02, -0.33), palette.accent, 0.006)
    local.bar(
        Box(0.3, -0.62, 0.48, -0.46),
        Blend(lift(palette.accent, 0.04), lift(palette.accent, -0.06)),
        0.03,
    )
    local.bar(Box(0.3, -0.63, 0.48, -0.57), mix(palette.accent, palette.ink, 0.35), 0.025)
