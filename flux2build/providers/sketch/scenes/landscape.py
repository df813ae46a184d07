"""Open country: layered hills, and a sea with a low sun."""

from __future__ import annotations

import math

from flux2build.images.colour.oklab import lift, lightness, mix, tone
from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, Point
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource


def hills(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """Ridges that fade into the distance under a sun or a moon."""
    sky(canvas, palette)
    unit = min(canvas.width, canvas.height)
    horizon = canvas.height * rng.between(0.42, 0.52)
    where = (
        canvas.width * rng.pick((0.3, 0.38, 0.62, 0.7)),
        horizon - unit * rng.between(0.06, 0.2),
    )
    sun(canvas, palette, where, unit * rng.between(0.09, 0.14))
    clouds(canvas, palette, rng, horizon)
    layers = rng.whole(4, 6)
    for layer in range(layers):
        near = layer / (layers - 1)
        base = horizon + (canvas.height - horizon) * 0.82 * near**1.25
        colour = ridge_colour(palette, near)
        points = ridge(canvas, rng, base, unit * (0.11 - 0.05 * near))
        canvas.polygon(points, Blend(colour, palette.veil(colour, 0.3 * (1 - near))))
        if near > 0.4:
            grove(canvas, rng, points, mix(colour, palette.ink, 0.35))


def sea(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """A sun that touches the water, its reflection, and a sail."""
    sky(canvas, palette)
    unit = min(canvas.width, canvas.height)
    horizon = canvas.height * rng.between(0.5, 0.6)
    x = canvas.width * rng.between(0.35, 0.65)
    radius = unit * rng.between(0.14, 0.2)
    sun(canvas, palette, (x, horizon - radius * rng.between(-0.1, 0.7)), radius)
    clouds(canvas, palette, rng, horizon)
    canvas.polygon(ridge(canvas, rng, horizon, unit * 0.035), palette.veil(palette.second, 0.45))
    water = Box(0, horizon, canvas.width, canvas.height)
    canvas.box(water, Blend(palette.veil(palette.main, 0.25), mix(palette.main, palette.ink, 0.5)))
    for step in range(14):
        y = horizon + (canvas.height - horizon) * ((step + 0.4) / 14) ** 1.5
        half = radius * (1.15 - 0.05 * step) * rng.between(0.35, 1)
        shift = radius * rng.between(-0.18, 0.18)
        thick = max(1.0, unit * 0.004 * (1 + step * 0.35))
        bar = Box(x + shift - half, y - thick, x + shift + half, y + thick)
        canvas.box(bar, light_of(palette), thick, 0.75 - 0.035 * step)
    sail(canvas, palette, rng, horizon, unit)


def sail(canvas: Canvas, palette: Palette, rng: RandomSource, horizon: float, unit: float) -> None:
    """A small boat on the horizon's near side."""
    x = canvas.width * rng.pick((0.2, 0.25, 0.75, 0.82))
    y, tall = horizon + unit * 0.05, unit * rng.between(0.1, 0.16)
    canvas.polygon(
        [(x, y - tall), (x, y - tall * 0.12), (x + tall * 0.52, y - tall * 0.12)], palette.paper
    )
    canvas.polygon(
        [
            (x - tall * 0.06, y - tall * 0.85),
            (x - tall * 0.06, y - tall * 0.12),
            (x - tall * 0.38, y - tall * 0.12),
        ],
        palette.accent,
    )
    hull = [
        (x - tall * 0.45, y - tall * 0.06),
        (x + tall * 0.55, y - tall * 0.06),
        (x + tall * 0.36, y + tall * 0.1),
        (x - tall * 0.3, y + tall * 0.1),
    ]
    canvas.polygon(hull, mix(palette.ink, palette.main, 0.15))


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
    x, y = at
    reach = radius * 3.4
    canvas.glow(Box(x - reach, y - reach, x + reach, y + reach), lift(light, 0.08), 0.55)
    canvas.circle(at, radius, light)


def clouds(canvas: Canvas, palette: Palette, rng: RandomSource, horizon: float) -> None:
    """A few long clouds, each a stack of soft bars."""
    unit = min(canvas.width, canvas.height)
    colour = mix(palette.paper, palette.main, 0.08 if not palette.dark else 0.6)
    for _ in range(rng.whole(2, 4)):
        x, y = canvas.width * rng.between(0.05, 0.95), horizon * rng.between(0.15, 0.75)
        for row in range(rng.whole(2, 3)):
            half, high = unit * rng.between(0.07, 0.16), unit * 0.018
            left = x + unit * rng.between(-0.07, 0.07)
            bar = Box(
                left - half, y + row * high * 1.6, left + half, y + row * high * 1.6 + high * 1.6
            )
            canvas.box(bar, colour, high, 0.55 if not palette.dark else 0.35)


def ridge(canvas: Canvas, rng: RandomSource, base: float, rise: float) -> list[Point]:
    """A rolling outline across the picture, closed at the bottom."""
    wide = max(canvas.width / min(canvas.width, canvas.height), 0.6)
    waves = [
        (rise * share, wide * rng.between(low, low * 1.8), rng.between(0, math.tau))
        for share, low in ((0.62, 0.7), (0.27, 1.7), (0.11, 4.2))
    ]
    steps = min(400, max(48, canvas.width // 8))
    line = [
        (
            canvas.width * step / steps,
            base
            - sum(
                high * math.sin(math.tau * often * step / steps + shift)
                for high, often, shift in waves
            ),
        )
        for step in range(steps + 1)
    ]
    return [*line, (canvas.width, canvas.height), (0, canvas.height)]


def ridge_colour(palette: Palette, near: float) -> Rgb:
    """Far ridges take the air's colour, near ones their own."""
    own = mix(palette.second, palette.main, min(1, near * 1.4))
    deep = mix(own, palette.ink, max(0.0, near - 0.55) * 0.9)
    return palette.veil(deep, 0.62 * (1 - near))


def grove(canvas: Canvas, rng: RandomSource, line: list[Point], colour: Rgb) -> None:
    """A few firs that stand on a ridge."""
    unit = min(canvas.width, canvas.height)
    ground = line[:-2]
    start = rng.between(0.05, 0.85)
    for _ in range(rng.whole(2, 7)):
        x, y = ground[int(min(0.99, max(0, start + rng.between(-0.09, 0.09))) * len(ground))]
        tall = unit * rng.between(0.05, 0.095)
        half = tall * 0.24
        for tier in range(3):
            top = y - tall + tier * tall * 0.26
            canvas.polygon(
                [
                    (x, top),
                    (x - half * (0.55 + 0.22 * tier), top + tall * 0.42),
                    (x + half * (0.55 + 0.22 * tier), top + tall * 0.42),
                ],
                colour,
            )
        canvas.box(Box(x - half * 0.16, y - tall * 0.1, x + half * 0.16, y + tall * 0.06), colour)
