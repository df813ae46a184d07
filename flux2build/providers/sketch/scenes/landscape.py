"""Open country: layered hills, a sea with a low sun, and a bicycle on a lane."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from flux2build.images.colour.oklab import lift, lightness, mix, tone
from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, Point, around, shaded, square
from flux2build.providers.sketch.local_coordinates import LocalCanvas, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import Scene


def hills(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """Ridges that fade into the distance under a sun or a moon."""
    sky(canvas, palette)
    unit = min(canvas.width, canvas.height)
    horizon = canvas.height * rng.between(0.42, 0.52)
    x = canvas.width * rng.pick((0.3, 0.38, 0.62, 0.7))
    y = horizon - unit * rng.between(0.06, 0.2)
    sun(canvas, palette, (x, y), unit * rng.between(0.09, 0.14))
    clouds(canvas, palette, rng, horizon)
    layers = rng.whole(4, 6)
    for layer in range(layers):
        near = layer / (layers - 1)
        base = horizon + (canvas.height - horizon) * 0.82 * near**1.25
        colour = _ridge_colour(palette, near)
        points = _ridge(canvas, rng, base, unit * (0.11 - 0.05 * near))
        canvas.polygon(points, Blend(colour, palette.veil(colour, 0.3 * (1 - near))))
        if near > 0.4:
            _grove(canvas, rng, points, mix(colour, palette.ink, 0.35))


def sea(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """A sun that touches the water, its reflection, and a sail."""
    sky(canvas, palette)
    unit = min(canvas.width, canvas.height)
    horizon = canvas.height * rng.between(0.5, 0.6)
    x = canvas.width * rng.between(0.35, 0.65)
    radius = unit * rng.between(0.14, 0.2)
    sun(canvas, palette, (x, horizon - radius * rng.between(-0.1, 0.7)), radius)
    clouds(canvas, palette, rng, horizon)
    canvas.polygon(_ridge(canvas, rng, horizon, unit * 0.035), palette.veil(palette.second, 0.45))
    water = Blend(palette.veil(palette.main, 0.25), mix(palette.main, palette.ink, 0.5))
    canvas.box(canvas.below(horizon), water)
    for step in range(14):
        y = horizon + (canvas.height - horizon) * ((step + 0.4) / 14) ** 1.5
        half = radius * (1.15 - 0.05 * step) * rng.between(0.35, 1)
        shift = radius * rng.between(-0.18, 0.18)
        thick = max(1.0, unit * 0.004 * (1 + step * 0.35))
        bar = around(x + shift, y, half, thick)
        canvas.box(bar, light_of(palette), thick, 0.75 - 0.035 * step)
    _sail(canvas, palette, rng, horizon, unit)


def _sail(canvas: Canvas, palette: Palette, rng: RandomSource, horizon: float, unit: float) -> None:
    """A small boat on the horizon's near side."""
    x = canvas.width * rng.pick((0.2, 0.25, 0.75, 0.82))
    y, tall = horizon + unit * 0.05, unit * rng.between(0.1, 0.16)
    foot, deck, keel = y - tall * 0.12, y - tall * 0.06, y + tall * 0.1
    canvas.polygon([(x, y - tall), (x, foot), (x + tall * 0.52, foot)], palette.paper)
    mast = x - tall * 0.06
    jib = [(mast, y - tall * 0.85), (mast, foot), (x - tall * 0.38, foot)]
    canvas.polygon(jib, palette.accent)
    sides = (-0.45, deck), (0.55, deck), (0.36, keel), (-0.3, keel)
    hull = [(x + tall * side, level) for side, level in sides]
    canvas.polygon(hull, mix(palette.ink, palette.main, 0.15))


def lane(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """Hills behind, a lane that winds away, and the bicycle in front."""
    unit = min(canvas.width, canvas.height)
    stage = canvas.stage
    horizon = canvas.height * rng.between(0.44, 0.52)
    side = rng.sign()
    sky(canvas, palette)
    sun(canvas, palette, (canvas.width * (0.5 - side * 0.22), horizon - unit * 0.12), unit * 0.1)
    clouds(canvas, palette, rng, horizon)
    for near in (0.0, 0.35):
        colour = _ridge_colour(palette, near)
        line = _ridge(canvas, rng, horizon + near * unit * 0.12, unit * 0.08)
        canvas.polygon(line, Blend(colour, palette.veil(colour, 0.3)))
        _grove(canvas, rng, line, mix(colour, palette.ink, 0.4))
    meadow = _ridge_colour(palette, 0.62)
    top = horizon + unit * 0.1
    edge = _ridge(canvas, rng, top, unit * 0.012)
    canvas.polygon(edge, Blend(meadow, mix(meadow, palette.ink, 0.3)))
    _lane(canvas, palette, top, side)
    size = min(stage.height * 0.9, stage.width * 0.85, canvas.height * 0.62)
    base = min(canvas.height - unit * 0.06, stage.bottom)
    x = stage.middle[0] + side * min(stage.width * 0.16, unit * 0.2)
    _bicycle(LocalCanvas(canvas, x, base, size, side), palette)


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


def _bicycle(local: LocalCanvas, palette: Palette) -> None:
    """A touring bicycle, 1.2 wide, standing on y = 0, with bags front and back."""
    dark = mix(palette.ink, (18, 18, 22), 0.4)
    frame = palette.main
    back, front, wheel = (-0.36, -0.24), (0.38, -0.24), 0.225
    local.shade((0.02, 0.0), (0.75, 0.05), palette.ink, 0.55)
    for hub in (back, front):
        for number in range(8):
            angle = math.radians(number * 22.5 + 8)
            arm = wheel * math.cos(angle), wheel * math.sin(angle)
            ends = [(hub[0] - arm[0], hub[1] - arm[1]), (hub[0] + arm[0], hub[1] + arm[1])]
            local.line(ends, 0.004, lift(dark, 0.3))
        local.ring(hub, wheel, 0.026, dark)
        local.ring(hub, wheel - 0.024, 0.008, palette.paper)
        local.oval(hub, (0.022, 0.022), dark)
    crank, seat, head = (-0.03, -0.22), (-0.14, -0.58), (0.27, -0.57)
    local.line([(-0.36, -0.52), (-0.36, -0.5), (-0.12, -0.5)], 0.014, dark)
    local.line([back, (-0.32, -0.5)], 0.012, dark)
    fork, stay, top = (0.285, -0.5), (-0.125, -0.53), (-0.127, -0.535)
    for tube in (
        (back, crank),
        (back, stay),
        (crank, seat),
        (crank, fork),
        (top, head),
        (head, front),
    ):
        local.line(tube, 0.028, frame)
    local.line([seat, (-0.155, -0.65)], 0.02, dark)
    saddle = path("-0.26,-0.67 -0.16,-0.69 -0.04,-0.67 -0.05,-0.65 -0.16,-0.645 -0.25,-0.64")
    local.blob(saddle, dark)
    local.line([head, (0.25, -0.67), (0.33, -0.69), (0.38, -0.66), (0.35, -0.61)], 0.022, dark)
    local.oval(crank, (0.055, 0.055), dark)
    local.oval(crank, (0.035, 0.035), lift(dark, 0.25))
    local.line([crank, (0.05, -0.12)], 0.016, dark)
    local.line([(0.02, -0.115), (0.08, -0.115)], 0.018, dark)
    _bags(local, palette)


def _bags(local: LocalCanvas, palette: Palette) -> None:
    cloth, deep = palette.second, mix(palette.second, palette.ink, 0.35)
    local.bar(Box(-0.52, -0.49, -0.26, -0.2), shaded(cloth, 0.04, -0.06), 0.035)
    local.bar(Box(-0.52, -0.5, -0.26, -0.39), deep, 0.03)
    for x in (-0.46, -0.34):
        local.bar(Box(x, -0.48, x + 0.02, -0.33), palette.accent, 0.006)
    local.bar(Box(0.3, -0.62, 0.48, -0.46), shaded(palette.accent, 0.04, -0.06), 0.03)
    local.bar(Box(0.3, -0.63, 0.48, -0.57), mix(palette.accent, palette.ink, 0.35), 0.025)


def sky(canvas: Canvas, palette: Palette) -> None:
    """Air that grows lighter towards the horizon."""
    if palette.dark:
        high, low = tone(palette.ink, 0.17), mix(palette.ink, palette.main, 0.55)
    else:
        high, low = mix(palette.paper, palette.main, 0.42), mix(palette.paper, palette.accent, 0.12)
    canvas.box(canvas.frame, Blend(high, low))


def light_of(palette: Palette) -> Rgb:
    """The colour of the sun by day and of the moon by night."""
    warm = max(palette.colours, key=lambda colour: colour[0] * 2 + colour[1] - colour[2] * 2)
    if palette.dark:
        return mix(palette.paper, warm, 0.3)
    return tone(warm, max(0.74, lightness(warm)))


def sun(canvas: Canvas, palette: Palette, at: Point, radius: float) -> None:
    """A disc in its own haze."""
    light = light_of(palette)
    canvas.glow(square(*at, radius * 3.4), lift(light, 0.08), 0.55)
    canvas.circle(at, radius, light)


def clouds(canvas: Canvas, palette: Palette, rng: RandomSource, horizon: float) -> None:
    """A few long clouds, each a stack of soft bars."""
    unit = min(canvas.width, canvas.height)
    colour = mix(palette.paper, palette.main, 0.08 if not palette.dark else 0.6)
    for _ in range(rng.whole(2, 4)):
        x, y = canvas.width * rng.between(0.05, 0.95), horizon * rng.between(0.15, 0.75)
        for row in range(rng.whole(2, 3)):
            half, high = unit * rng.between(0.07, 0.16), unit * 0.018
            middle, top = x + unit * rng.between(-0.07, 0.07), y + row * high * 1.6
            bar = Box(middle - half, top, middle + half, top + high * 1.6)
            canvas.box(bar, colour, high, 0.55 if not palette.dark else 0.35)


def _ridge(canvas: Canvas, rng: RandomSource, base: float, rise: float) -> list[Point]:
    """A rolling outline across the picture, closed at the bottom."""
    wide = max(canvas.width / min(canvas.width, canvas.height), 0.6)
    waves = [
        (rise * share, wide * rng.between(low, low * 1.8), rng.between(0, math.tau))
        for share, low in ((0.62, 0.7), (0.27, 1.7), (0.11, 4.2))
    ]
    steps = min(400, max(48, canvas.width // 8))
    line = []
    for step in range(steps + 1):
        turns = ((high, math.tau * often * step / steps + shift) for high, often, shift in waves)
        waved = sum(high * math.sin(turn) for high, turn in turns)
        line.append((canvas.width * step / steps, base - waved))
    return [*line, (canvas.width, canvas.height), (0, canvas.height)]


def _ridge_colour(palette: Palette, near: float) -> Rgb:
    """Far ridges take the air's colour, near ones their own."""
    own = mix(palette.second, palette.main, min(1, near * 1.4))
    deep = mix(own, palette.ink, max(0.0, near - 0.55) * 0.9)
    return palette.veil(deep, 0.62 * (1 - near))


def _grove(canvas: Canvas, rng: RandomSource, line: list[Point], colour: Rgb) -> None:
    """A few firs that stand on a ridge."""
    unit = min(canvas.width, canvas.height)
    ground = line[:-2]
    start = rng.between(0.05, 0.85)
    for _ in range(rng.whole(2, 7)):
        x, y = ground[int(min(0.99, max(0, start + rng.between(-0.09, 0.09))) * len(ground))]
        tall = unit * rng.between(0.05, 0.095)
        half = tall * 0.24
        for tier in range(3):
            top, wide = y - tall + tier * tall * 0.26, half * (0.55 + 0.22 * tier)
            foot = top + tall * 0.42
            canvas.polygon([(x, top), (x - wide, foot), (x + wide, foot)], colour)
        canvas.box(Box(x - half * 0.16, y - tall * 0.1, x + half * 0.16, y + tall * 0.06), colour)


SCENES: Final[Mapping[str, Scene]] = {"hills": hills, "sea": sea, "lane": lane}
