"""An interior: a window with a view, a desk or a sofa, a plant and a lamp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from msgspec.structs import replace

from flux2build.images.colour.oklab import lift, mix, tone
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, shaded
from flux2build.providers.sketch.local_coordinates import LocalCanvas, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import Scene
from flux2build.providers.sketch.scenes.landscape import light_of
from flux2build.providers.sketch.scenes.things import lamp, laptop, mug, vase

Piece = Callable[[LocalCanvas, Palette, RandomSource], None]


def scene(canvas: Canvas, palette: Palette, rng: RandomSource, piece: Piece) -> None:
    """A wall, its window, and furniture along the floor."""
    stage = canvas.stage
    unit = min(stage.height * 1.05, stage.width * 0.9)
    floor = min(canvas.height * 0.9, stage.bottom + unit * 0.02)
    _shell(canvas, palette, floor, unit)
    side = rng.sign()
    x = stage.middle[0]
    _window(LocalCanvas(canvas, x - side * unit * 0.26, floor - unit * 0.55, unit), palette, rng)
    _pictures(LocalCanvas(canvas, x + side * unit * 0.3, floor - unit * 0.68, unit), palette, rng)
    extra = int((stage.width / unit - 1.5) / 1.3)
    for number in range(1, extra + 1):
        for direction in (-1, 1):
            far = x + direction * unit * 1.3 * number
            _window(LocalCanvas(canvas, far, floor - unit * 0.55, unit * 0.9), palette, rng)
    piece(LocalCanvas(canvas, x, floor, unit, side), palette, rng)
    _plant(LocalCanvas(canvas, x - side * unit * 0.56, floor, unit), palette, rng)


def _shell(canvas: Canvas, palette: Palette, floor: float, unit: float) -> None:
    if palette.dark:
        wall = mix(palette.ink, palette.main, 0.22)
        wood = tone(mix(palette.ink, palette.accent, 0.2), 0.2)
    else:
        wall, wood = mix(palette.paper, palette.main, 0.2), mix(palette.paper, palette.accent, 0.42)
    canvas.box(canvas.frame, shaded(wall, 0.02, -0.03))
    level = floor - unit * 0.07
    canvas.box(canvas.below(level), Blend(wood, lift(wood, -0.08)))
    canvas.box(Box(0, level - unit * 0.022, canvas.width, level), lift(wall, 0.05))


def _window(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A window with a view; the origin is its centre."""
    frame = lift(palette.paper, -0.02 if not palette.dark else -0.3)
    local.bar(Box(-0.25, -0.32, 0.25, 0.23), frame, 0.012)
    if palette.dark:
        high, low = tone(palette.ink, 0.2), mix(palette.ink, palette.second, 0.6)
    else:
        high = mix(palette.paper, palette.second, 0.5)
        low = mix(palette.paper, palette.accent, 0.18)
    local.bar(Box(-0.22, -0.29, 0.22, 0.2), Blend(high, low))
    disc = (rng.between(-0.1, 0.1), rng.between(-0.18, -0.08))
    local.oval(disc, (0.055, 0.055), light_of(palette))
    far, near = palette.veil(palette.second, 0.35), mix(palette.second, palette.ink, 0.3)
    hills = path("-0.22,0.04 -0.1,-0.04 0.02,0.03 0.12,-0.02 0.22,0.05 0.22,0.2 -0.22,0.2")
    local.polygon(hills, far)
    local.polygon(path("-0.22,0.12 -0.04,0.06 0.1,0.13 0.22,0.09 0.22,0.2 -0.22,0.2"), near)
    local.bar(Box(-0.01, -0.3, 0.01, 0.21), frame)
    local.bar(Box(-0.23, -0.07, 0.23, -0.052), frame)
    local.bar(Box(-0.28, 0.22, 0.28, 0.25), lift(frame, -0.06), 0.008)


def _pictures(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    for x, wide, tall in ((-0.08, 0.1, 0.14), (0.16, 0.08, 0.1)):
        local.bar(Box(x - wide, -tall, x + wide, tall), mix(palette.ink, palette.accent, 0.2))
        inner = Box(x - wide + 0.012, -tall + 0.012, x + wide - 0.012, tall - 0.012)
        local.bar(inner, palette.paper)
        local.oval((x, -tall * 0.2), (wide * 0.5, wide * 0.5), rng.pick(palette.colours))
        stripe = Box(x - wide * 0.5, tall * 0.35, x + wide * 0.5, tall * 0.55)
        local.bar(stripe, rng.pick(palette.colours))


def desk(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A desk to work at."""
    wood = mix(palette.accent, palette.ink, 0.3)
    local.shade((0.05, 0.0), (0.65, 0.06), palette.ink, 0.5)
    for x in (-0.32, 0.5):
        local.polygon([(x - 0.018, -0.3), (x + 0.018, -0.3), (x + 0.04, 0), (x + 0.012, 0)], wood)
    local.bar(Box(0.2, -0.29, 0.48, -0.12), lift(wood, -0.04), 0.01)
    local.bar(Box(0.3, -0.22, 0.38, -0.2), palette.paper, 0.01)
    local.bar(Box(-0.4, -0.325, 0.58, -0.285), lift(wood, 0.07), 0.012)
    top = local.y - 0.325 * local.unit
    for thing, x, size in ((laptop, 0.04, 0.52), (lamp, 0.44, 0.5), (mug, -0.28, 0.3)):
        at = local.at((x, 0))[0]
        thing(LocalCanvas(local.canvas, at, top, local.unit * size), palette, rng)


def sofa(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A sofa to rest on."""
    cloth = palette.main
    local.shade((0.1, 0), (0.68, 0.06), palette.ink, 0.5)
    for x in (-0.3, 0.5):
        local.bar(Box(x - 0.012, -0.07, x + 0.012, 0), palette.ink)
    local.bar(Box(-0.36, -0.4, 0.56, -0.06), shaded(cloth, 0.02, -0.05), 0.07)
    for left, right in ((-0.3, 0.095), (0.105, 0.5)):
        local.bar(Box(left, -0.23, right, -0.1), shaded(cloth, 0.08, 0.01), 0.04)
    for x in (-0.38, 0.5):
        local.bar(Box(x - 0.04, -0.29, x + 0.1, -0.055), lift(cloth, -0.04), 0.06)
    for x, colour, turn in ((-0.2, palette.accent, 10), (0.36, palette.second, -12)):
        local.oval((x, -0.27), (0.085, 0.08), colour, turn=turn)
    table = local.at((0.78, 0))[0]
    vase(LocalCanvas(local.canvas, table, local.y, local.unit * 0.62), palette, rng)


def _plant(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A tall plant in a pot."""
    green = mix(tone(palette.second, 0.52), (58, 110, 72), 0.5)
    for number in range(9):
        turn = -70 + number * 17 + rng.between(-6, 6)
        tall = rng.between(0.2, 0.34) * (1.1 - abs(turn) / 160)
        leaf = replace(local, y=local.y - local.unit * 0.15)
        shift = turn / 90 * tall
        colour = mix(green, palette.ink, 0.1 + 0.1 * (number % 3))
        left, right = (shift * 0.4 - 0.045, -tall * 0.55), (shift * 0.62 + 0.045, -tall * 0.5)
        leaf.blob([(0, 0), left, (shift, -tall), right], colour)
    pot = shaded(palette.paper, -0.04, -0.2, across=True)
    local.shade((0.04, 0), (0.2, 0.04), palette.ink, 0.5)
    local.polygon([(-0.1, -0.17), (0.1, -0.17), (0.075, 0), (-0.075, 0)], pot)
    local.bar(Box(-0.11, -0.19, 0.11, -0.15), pot, 0.01)


SCENES: Final[Mapping[str, Scene]] = {
    "desk": partial(scene, piece=desk),
    "sofa": partial(scene, piece=sofa),
}
