"""An icon: one pictogram on a rounded plate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from flux2build.images.colour.oklab import mix
from flux2build.images.colour.srgb import Rgb, contrast
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, shaded, side_by_side
from flux2build.providers.sketch.local_coordinates import LocalCanvas, path, star
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import Scene

Sign = Callable[[LocalCanvas, Rgb, Rgb], None]
"""Draws a pictogram about 1.2 wide around the origin, in two colours."""


def scene(canvas: Canvas, palette: Palette, rng: RandomSource, name: str | None = None) -> None:
    """One pictogram, or any; several where the picture is long."""
    sign = SIGNS[name] if name else rng.pick(list(SIGNS.values()))
    hue = rng.pick((palette.second, palette.main))
    ground = Blend(mix(palette.ground, hue, 0.1), mix(palette.ground, hue, 0.26))
    canvas.box(canvas.frame, ground)
    canvas.cut_out()
    stage = canvas.stage
    unit = min(stage.short, canvas.width * 0.8, canvas.height * 0.8) / 2 * 0.86
    count = max(1, min(6, int(stage.width / (unit * 2.6))))
    for number, x in enumerate(side_by_side(stage.middle[0], count, unit, 2.6)):
        local = LocalCanvas(canvas, x, stage.middle[1], unit)
        plate = palette.colours[number % 3]
        _plate(local, plate, palette, rng)
        light = palette.paper if contrast(palette.paper, plate) > 2.4 else palette.ink
        pictogram = sign if number == 0 else rng.pick(list(SIGNS.values()))
        clear = [one for one in palette.colours if contrast(one, plate) > 1.8]
        others = (one for one in clear[1:] or clear if contrast(one, light) > 1.3)
        pictogram(local, light, next(others, mix(plate, light, 0.55)))


def _plate(local: LocalCanvas, colour: Rgb, palette: Palette, rng: RandomSource) -> None:
    local.shade((0, 0.3), (1.25, 1.1), palette.ink, 0.42)
    paint = shaded(colour, 0.04, -0.06)
    if rng.flip(0.35):
        local.oval((0, 0), (1, 1), paint)
    else:
        local.bar(Box(-0.95, -0.95, 0.95, 0.95), paint, 0.42)


def _leaf(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.blob(path("-0.42,0.45 -0.46,-0.1 0.0,-0.5 0.55,-0.55 0.5,0.05 0.1,0.42"), one)
    local.line([(-0.58, 0.6), (-0.2, 0.2), (0.3, -0.32)], 0.07, other)
    for x, y in ((-0.08, 0.08), (0.1, -0.1)):
        local.line([(x, y), (x + 0.24, y + 0.04)], 0.05, other)


def _heart(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.oval((-0.26, -0.2), (0.31, 0.31), one)
    local.oval((0.26, -0.2), (0.31, 0.31), one)
    local.polygon([(-0.53, -0.05), (0.53, -0.05), (0, 0.58)], one)
    local.polygon([(-0.3, -0.2), (0.3, -0.2), (0, 0.2)], one)
    local.line([(-0.38, -0.22), (-0.3, -0.34), (-0.18, -0.36)], 0.07, other)


def _drop(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.oval((0, 0.16), (0.43, 0.43), one)
    local.polygon([(-0.385, -0.02), (0.385, -0.02), (0, -0.68)], one)
    local.line([(-0.24, 0.16), (-0.18, 0.32), (-0.02, 0.4)], 0.08, other)


def _clock(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.ring((0, 0), 0.52, 0.11, one)
    local.line([(-0.2, -0.16), (0, 0), (0.29, -0.2)], 0.085, one)
    for turn in range(4):
        angle = math.radians(turn * 90)
        local.oval((0.38 * math.cos(angle), 0.38 * math.sin(angle)), (0.04, 0.04), other)


def _star(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.polygon(star(5, 0.64, 0.29), one)
    local.oval((0, 0.02), (0.12, 0.12), other)


def _bolt(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    shape = path("0.1,-0.66 -0.4,0.08 -0.06,0.08 -0.14,0.66 0.4,-0.14 0.05,-0.14")
    local.polygon([(x + 0.07, y + 0.05) for x, y in shape], other)
    local.polygon(shape, one)


def _truck(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.bar(Box(-0.64, -0.36, 0.16, 0.26), one, 0.06)
    local.polygon(path("0.2,-0.16 0.44,-0.16 0.64,0.06 0.64,0.26 0.2,0.26"), one)
    local.polygon([(0.28, -0.08), (0.41, -0.08), (0.53, 0.06), (0.28, 0.06)], other)
    for x in (-0.36, 0.38):
        local.oval((x, 0.28), (0.17, 0.17), other)
        local.oval((x, 0.28), (0.09, 0.09), one)


def _pin(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.oval((0, -0.2), (0.38, 0.38), one)
    local.polygon([(-0.345, -0.05), (0.345, -0.05), (0, 0.6)], one)
    local.oval((0, -0.2), (0.16, 0.16), other)


def _map(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    for left, shift in ((-0.6, 0.0), (-0.2, 0.12), (0.2, 0.0)):
        tilt = 0.12 if shift == 0 else -0.12
        top = -0.44 + shift
        right, low = left + 0.38, top + tilt
        panel = [(left, top), (right, low), (right, low + 0.86), (left, top + 0.86)]
        local.polygon(panel, one)
    local.line([(-0.45, 0.2), (-0.2, -0.05), (0.1, 0.12), (0.38, -0.18)], 0.06, other)
    local.oval((0.4, -0.22), (0.1, 0.1), other)


def _wrench(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.line([(-0.36, 0.44), (0.2, -0.14)], 0.2, one)
    local.oval((0.3, -0.26), (0.3, 0.3), one)
    local.polygon([(0.28, -0.22), (0.36, -0.7), (0.74, -0.32)], other)
    local.oval((-0.38, 0.46), (0.06, 0.06), other)


def _needle(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    steps = [number / 20 for number in range(21)]
    thread = [(0.36 - 0.9 * t, -0.4 + 0.5 * t + 0.26 * math.sin(t * 7)) for t in steps]
    local.line(thread, 0.06, other)
    local.polygon([(0.5, -0.58), (0.58, -0.5), (-0.5, 0.58)], one)
    local.oval((0.42, -0.42), (0.15, 0.07), one, turn=-45)
    local.oval((0.42, -0.42), (0.09, 0.028), other, turn=-45)


def _house(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.polygon([(-0.62, -0.06), (0, -0.6), (0.62, -0.06)], one)
    local.bar(Box(-0.44, -0.1, 0.44, 0.52), one, 0.04)
    local.bar(Box(-0.12, 0.12, 0.12, 0.52), other, 0.04)


def _spark(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    local.polygon(star(4, 0.66, 0.2), one)
    local.oval((0.42, -0.42), (0.11, 0.11), other)
    local.oval((-0.42, 0.42), (0.07, 0.07), other)


SIGNS: Final[dict[str, Sign]] = {
    "leaf": _leaf, "heart": _heart, "drop": _drop, "clock": _clock, "star": _star, "bolt": _bolt,
    "truck": _truck, "pin": _pin, "map": _map, "wrench": _wrench, "needle": _needle,
    "house": _house, "spark": _spark,
}  # fmt: skip


SCENES: Final[Mapping[str, Scene]] = {
    "scene": scene,
    **{name: partial(scene, name=name) for name in SIGNS},
}
