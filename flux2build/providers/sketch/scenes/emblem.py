"""An icon: one pictogram on a rounded plate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from flux2build.images.colour.oklab import lift, mix
from flux2build.images.colour.srgb import Rgb, contrast
from flux2build.providers.sketch.canvas import Blend, Box, Canvas
from flux2build.providers.sketch.local_coordinates import LocalCanvas, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource

Sign = Callable[[LocalCanvas, Rgb, Rgb], None]


def scene(name: str | None = None) -> Callable[[Canvas, Palette, RandomSource], None]:
    """A scene with one pictogram, or any."""

    def emblem(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
        sign = SIGNS[name] if name else rng.pick(list(SIGNS.values()))
        hue = rng.pick((palette.second, palette.main))
        canvas.box(
            canvas.frame, Blend(mix(palette.ground, hue, 0.1), mix(palette.ground, hue, 0.26))
        )
        stage = canvas.stage
        unit = min(stage.short, canvas.width * 0.8, canvas.height * 0.8) / 2 * 0.86
        count = max(1, min(6, int(stage.width / (unit * 2.6))))
        for number in range(count):
            x = stage.middle[0] + (number - (count - 1) / 2) * unit * 2.6
            local = LocalCanvas(canvas, x, stage.middle[1], unit)
            plate = (palette.main, palette.second, palette.accent)[number % 3]
            _plate(local, plate, palette, rng)
            pale, deep = palette.paper, palette.ink
            light = pale if contrast(pale, plate) > 2.4 else deep
            chosen = sign if number == 0 else rng.pick(list(SIGNS.values()))
            clear = [one for one in palette.colours if contrast(one, plate) > 1.8]
            other = next(
                (one for one in clear[1:] or clear if contrast(one, light) > 1.3),
                mix(plate, light, 0.55),
            )
            chosen(local, light, other)

    return emblem


def _plate(local: LocalCanvas, colour: Rgb, palette: Palette, rng: RandomSource) -> None:
    local.shade((0, 0.3), (1.25, 1.1), palette.ink, 0.42)
    paint = Blend(lift(colour, 0.04), lift(colour, -0.06))
    if rng.flip(0.35):
        local.oval((0, 0), (1, 1), paint)
    else:
        local.bar(Box(-0.95, -0.95, 0.95, 0.95), paint, 0.42)


def leaf(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A leaf."""
    local.blob(path("-0.42,0.45 -0.46,-0.1 0.0,-0.5 0.55,-0.55 0.5,0.05 0.1,0.42"), one)
    local.line([(-0.58, 0.6), (-0.2, 0.2), (0.3, -0.32)], 0.07, other)
    for x, y in ((-0.08, 0.08), (0.1, -0.1)):
        local.line([(x, y), (x + 0.24, y + 0.04)], 0.05, other)


def heart(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A heart."""
    local.oval((-0.26, -0.2), (0.31, 0.31), one)
    local.oval((0.26, -0.2), (0.31, 0.31), one)
    local.polygon([(-0.53, -0.05), (0.53, -0.05), (0, 0.58)], one)
    local.polygon([(-0.3, -0.2), (0.3, -0.2), (0, 0.2)], one)
    local.line([(-0.38, -0.22), (-0.3, -0.34), (-0.18, -0.36)], 0.07, other)


def drop(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A drop."""
    local.oval((0, 0.16), (0.43, 0.43), one)
    local.polygon([(-0.385, -0.02), (0.385, -0.02), (0, -0.68)], one)
    local.line([(-0.24, 0.16), (-0.18, 0.32), (-0.02, 0.4)], 0.08, other)


def clock(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A clock at ten past ten."""
    local.ring((0, 0), 0.52, 0.11, one)
    local.line([(-0.2, -0.16), (0, 0), (0.29, -0.2)], 0.085, one)
    for turn in range(4):
        angle = math.radians(turn * 90)
        local.oval((0.38 * math.cos(angle), 0.38 * math.sin(angle)), (0.04, 0.04), other)


def star(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A star."""
    local.polygon(_star(5, 0.64, 0.29), one)
    local.oval((0, 0.02), (0.12, 0.12), other)


def bolt(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A bolt."""
    shape = path("0.1,-0.66 -0.4,0.08 -0.06,0.08 -0.14,0.66 0.4,-0.14 0.05,-0.14")
    local.polygon([(x + 0.07, y + 0.05) for x, y in shape], other)
    local.polygon(shape, one)


def truck(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A van."""
    local.bar(Box(-0.64, -0.36, 0.16, 0.26), one, 0.06)
    local.polygon(path("0.2,-0.16 0.44,-0.16 0.64,0.06 0.64,0.26 0.2,0.26"), one)
    local.polygon([(0.28, -0.08), (0.41, -0.08), (0.53, 0.06), (0.28, 0.06)], other)
    for x in (-0.36, 0.38):
        local.oval((x, 0.28), (0.17, 0.17), other)
        local.oval((x, 0.28), (0.09, 0.09), one)


def pin(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A place on a map."""
    local.oval((0, -0.2), (0.38, 0.38), one)
    local.polygon([(-0.345, -0.05), (0.345, -0.05), (0, 0.6)], one)
    local.oval((0, -0.2), (0.16, 0.16), other)


def drawing(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A folded map."""
    for left, shift in ((-0.6, 0.0), (-0.2, 0.12), (0.2, 0.0)):
        tilt = 0.12 if shift == 0 else -0.12
        top = -0.44 + shift
        panel = [
            (left, top),
            (left + 0.38, top + tilt),
            (left + 0.38, top + tilt + 0.86),
            (left, top + 0.86),
        ]
        local.polygon(panel, one)
    local.line([(-0.45, 0.2), (-0.2, -0.05), (0.1, 0.12), (0.38, -0.18)], 0.06, other)
    local.oval((0.4, -0.22), (0.1, 0.1), other)


def wrench(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A wrench."""
    local.line([(-0.36, 0.44), (0.2, -0.14)], 0.2, one)
    local.oval((0.3, -0.26), (0.3, 0.3), one)
    local.polygon([(0.28, -0.22), (0.36, -0.7), (0.74, -0.32)], other)
    local.oval((-0.38, 0.46), (0.06, 0.06), other)


def needle(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A needle with its thread."""
    thread = [
        (0.36 - 0.9 * t, -0.4 + 0.5 * t + 0.26 * math.sin(t * 7))
        for t in (n / 20 for n in range(21))
    ]
    local.line(thread, 0.06, other)
    local.polygon([(0.5, -0.58), (0.58, -0.5), (-0.5, 0.58)], one)
    local.oval((0.42, -0.42), (0.15, 0.07), one, turn=-45)
    local.oval((0.42, -0.42), (0.09, 0.028), other, turn=-45)


def house(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A house."""
    local.polygon([(-0.62, -0.06), (0, -0.6), (0.62, -0.06)], one)
    local.bar(Box(-0.44, -0.1, 0.44, 0.52), one, 0.04)
    local.bar(Box(-0.12, 0.12, 0.12, 0.52), other, 0.04)


def spark(local: LocalCanvas, one: Rgb, other: Rgb) -> None:
    """A mark of two turned squares."""
    local.polygon(_star(4, 0.66, 0.2), one)
    local.oval((0.42, -0.42), (0.11, 0.11), other)
    local.oval((-0.42, 0.42), (0.07, 0.07), other)


def _star(points: int, outer: float, inner: float) -> list[tuple[float, float]]:
    turns = [(step, step * math.pi / points) for step in range(points * 2)]
    return [
        ((outer, inner)[step % 2] * math.sin(turn), -(outer, inner)[step % 2] * math.cos(turn))
        for step, turn in turns
    ]


SIGNS: Final[dict[str, Sign]] = {
    "leaf": leaf, "heart": heart, "drop": drop, "clock": clock, "star": star, "bolt": bolt,
    "truck": truck, "pin": pin, "map": drawing, "wrench": wrench, "needle": needle, "house": house,
    "spark": spark,
}  # fmt: skip
