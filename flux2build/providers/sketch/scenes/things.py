"""A product on a plinth, with an arch or a disc behind it and daylight from one side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from msgspec.structs import replace

from flux2build.images.colour.oklab import lift, mix, tone
from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, around, shaded, square
from flux2build.providers.sketch.local_coordinates import LocalCanvas, mirrored, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import Scene

Thing = Callable[[LocalCanvas, Palette, RandomSource], None]
"""Draws a thing about 0.7 high that stands on y = 0."""


def scene(canvas: Canvas, palette: Palette, rng: RandomSource, thing: Thing | None = None) -> None:
    """One kind of thing, or any; several where the picture is wide."""
    stage = canvas.stage
    unit = min(stage.height, stage.width * 1.1, canvas.height * 0.8)
    centre = stage.middle[0]
    floor = stage.top + (stage.height + unit) / 2 - unit * 0.06
    _backdrop(canvas, palette, rng, floor - unit * rng.between(0.14, 0.2))
    main = LocalCanvas(canvas, centre, floor, unit)
    _behind(main, palette, rng)
    canvas.cut_out()
    subject = thing or rng.pick(_ALL)
    for pair in range(max(0, int((stage.width / unit - 1.5) / 1.5))):
        for side in (-1.25 * (pair + 1), 1.25 * (pair + 1)):
            beside = LocalCanvas(canvas, centre + side * unit, floor, unit * 0.72)
            _stand(beside, palette, rng, subject)
    _stand(main, palette, rng, subject)


def _backdrop(canvas: Canvas, palette: Palette, rng: RandomSource, edge: float) -> None:
    """A wall, a table, and light that falls from the upper left."""
    hue = rng.pick((palette.second, palette.main, palette.accent))
    if palette.dark:
        wall = Blend(tone(mix(palette.ink, hue, 0.12), 0.2), mix(palette.ink, hue, 0.4))
        table = Blend(mix(palette.ink, hue, 0.3), tone(mix(palette.ink, hue, 0.2), 0.16))
    else:
        wall = Blend(mix(palette.paper, hue, 0.34), mix(palette.paper, hue, 0.14))
        table = Blend(mix(palette.paper, hue, 0.2), mix(palette.paper, hue, 0.32))
    canvas.box(canvas.frame, wall)
    canvas.box(canvas.below(edge), table)
    lamp = square(canvas.width * 0.18, 0, max(canvas.width, canvas.height) * 0.75)
    canvas.glow(lamp, lift(palette.paper, 0.02), 0.16 if palette.dark else 0.6)


def _behind(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """What frames the subject: an arch, a disc, or panels."""
    tint = mix(palette.accent, palette.ground, 0.35 if not palette.dark else 0.45)
    style = rng.pick(("arch", "disc", "panels", "arch", "disc"))
    if style == "disc":
        local.oval((0.12 * rng.sign(), -0.56), (0.4, 0.4), tint)
    elif style == "arch":
        x = 0.1 * rng.sign()
        local.bar(Box(x - 0.38, -0.94, x + 0.38, -0.12), Blend(tint, lift(tint, -0.05)), 0.38)
    else:
        local.bar(Box(-0.46, -0.86, -0.02, -0.13), tint)
        local.bar(Box(0.02, -0.7, 0.42, -0.13), mix(palette.second, palette.ground, 0.45))


def _stand(local: LocalCanvas, palette: Palette, rng: RandomSource, thing: Thing) -> None:
    """A plinth, a long soft shadow, and the thing itself."""
    stone = lift(mix(palette.paper, palette.second, 0.18), -0.02 if not palette.dark else -0.2)
    local.shade((0.26, 0.0), (0.75, 0.13), palette.ink, 0.5)
    if rng.flip(0.72):
        side = Blend(lift(stone, 0.03), mix(stone, palette.ink, 0.38), across=True)
        local.bar(Box(-0.42, -0.13, 0.42, 0.0), side)
        local.oval((0, 0.0), (0.42, 0.075), side)
        local.oval((0, -0.13), (0.42, 0.075), lift(stone, 0.05))
        local = LocalCanvas(local.canvas, local.x, local.y - local.unit * 0.13, local.unit * 0.92)
    local.shade((0.1, -0.01), (0.4, 0.07), palette.ink, 0.6)
    thing(local, palette, rng)


def _round(colour: Rgb) -> Blend:
    """A cylinder lit from the left."""
    return shaded(colour, 0.09, -0.13, across=True)


def bottle(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A bottle with a cap and a label."""
    half, tall = rng.between(0.11, 0.15), rng.between(0.44, 0.54)
    glass = _round(palette.main)
    neck = half * rng.between(0.32, 0.5)
    local.bar(Box(-neck, -tall - 0.13, neck, -tall + 0.1), glass)
    local.bar(Box(-half, -tall, half, 0.02), glass, radius=half * 0.5)
    cap = _round(mix(palette.ink, palette.second, 0.2))
    local.bar(Box(-neck * 1.25, -tall - 0.21, neck * 1.25, -tall - 0.1), cap, radius=0.015)
    _label(local, palette, Box(-half, -tall * 0.66, half, -tall * 0.24))
    local.bar(Box(-half * 0.74, -tall * 0.95, -half * 0.56, -0.06), palette.paper, 0.02, 0.35)


def jar(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A jar, tin or candle with a lid."""
    half, tall = rng.between(0.19, 0.24), rng.between(0.26, 0.36)
    local.bar(Box(-half, -tall, half, 0.02), _round(palette.main), radius=0.045)
    lid = _round(mix(palette.second, palette.ink, 0.15))
    local.bar(Box(-half * 1.05, -tall - 0.09, half * 1.05, -tall + 0.02), lid, radius=0.03)
    _label(local, palette, Box(-half, -tall * 0.78, half, -tall * 0.22))
    local.bar(Box(-half * 0.82, -tall * 0.95, -half * 0.7, -0.05), palette.paper, 0.02, 0.3)


def carton(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A package seen from a corner."""
    half, tall = rng.between(0.17, 0.22), rng.between(0.4, 0.54)
    front, x = palette.main, half * 0.5
    near, far = (x, -tall + 0.02), (x + half * 0.72, -tall - 0.03)
    local.polygon([(-half, -tall), near, (x, 0.05), (-half, 0)], front)
    local.polygon([near, far, (far[0], -0.03), (x, 0.05)], mix(front, palette.ink, 0.32))
    top = [(-half, -tall), near, far, (-half * 0.25, -tall - 0.05)]
    local.polygon(top, lift(front, 0.08))
    mid = (-half + x) / 2
    local.oval((mid, -tall * 0.6), (half * 0.38, half * 0.38), palette.accent)
    for wide, high, low in ((0.5, 0.3, 0.26), (0.34, 0.22, 0.19)):
        line = Box(mid - half * wide, -tall * high, mid + half * wide, -tall * low)
        local.bar(line, palette.paper, 0.01)


def bag(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A bag with a flap, two straps and a handle."""
    half, tall = rng.between(0.23, 0.27), rng.between(0.44, 0.52)
    body = palette.main
    dark = mix(body, palette.ink, 0.4)
    strap = mix(palette.second, palette.ink, 0.12)
    local.ring((0, -tall - 0.01), half * 0.38, 0.03, strap)
    shape = mirrored([(half * 0.92, -tall), (half, -0.12), (half * 0.94, 0.02)])
    local.polygon(shape, _round(body))
    pocket = Box(-half * 0.72, -0.19, half * 0.72, -0.02)
    local.bar(pocket, mix(body, palette.ink, 0.14), radius=0.04)
    low = [(half * 0.93, -tall * 0.55), (half * 0.7, -tall * 0.44)]
    flap = mirrored([(half * 0.95, -tall), *low])
    local.polygon([(x, y + 0.015) for x, y in flap], dark)
    local.polygon(flap, shaded(body, 0.05, -0.03))
    for x in (-half * 0.5, half * 0.5):
        local.bar(Box(x - 0.022, -tall, x + 0.022, -tall * 0.34), strap, radius=0.01)
        buckle = Box(x - 0.034, -tall * 0.5, x + 0.034, -tall * 0.4)
        local.bar(buckle, tone(palette.accent, 0.75), radius=0.012)


def mug(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A mug with steam."""
    half, tall = 0.18, rng.between(0.3, 0.36)
    turned = replace(local, flip=rng.sign())
    turned.ring((half, -tall * 0.52), tall * 0.27, 0.045, lift(palette.main, -0.1))
    local.bar(Box(-half, -tall, half, 0.02), _round(palette.main), radius=0.05)
    local.oval((0, -tall), (half, 0.035), lift(palette.main, -0.16))
    local.oval((0, -tall + 0.004), (half * 0.86, 0.025), mix(palette.ink, palette.accent, 0.3))
    local.bar(Box(-half, -tall * 0.5, half, -tall * 0.36), _round(palette.second))
    for x in (-0.05, 0.05):
        wave = [(x + 0.02 * (-1) ** step, -tall - 0.06 - 0.05 * step) for step in range(5)]
        local.line(wave, 0.014, palette.figure, 0.35)


def chair(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A lounge chair on splayed legs."""
    wood = mix(palette.ink, palette.accent, 0.35)
    turned = replace(local, flip=rng.sign())
    for foot, top in ((-0.24, -0.17), (0.26, 0.2), (-0.12, -0.1), (0.15, 0.12)):
        turned.line([(top, -0.26), (foot, 0.0 if abs(foot) > 0.2 else -0.035)], 0.026, wood)
    shell = path("-0.25,-0.32 0.22,-0.29 0.27,-0.25 0.2,-0.21 -0.2,-0.22 -0.29,-0.28")
    back = path("-0.3,-0.62 -0.24,-0.66 -0.18,-0.6 -0.13,-0.33 -0.2,-0.24 -0.28,-0.28")
    turned.blob(back, shaded(palette.main, 0.05, -0.08))
    turned.blob(shell, shaded(palette.main, 0.08, -0.05))
    turned.blob(path("-0.12,-0.36 0.16,-0.34 0.19,-0.3 0.12,-0.28 -0.12,-0.29"), palette.second)


def lamp(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A table lamp that is switched on."""
    stem = mix(palette.ink, palette.second, 0.3)
    wide = rng.between(0.2, 0.26)
    glow = tone(palette.accent, 0.9, 0.08)
    local.shade((0, -0.42), (0.62, 0.5), glow, 0.6)
    local.oval((0, -0.01), (0.15, 0.035), stem)
    local.bar(Box(-0.014, -0.42, 0.014, 0), stem)
    local.oval((0, -0.2), (0.075, 0.085), _round(palette.second))
    shade = [(-wide * 0.55, -0.68), (wide * 0.55, -0.68), (wide, -0.38), (-wide, -0.38)]
    local.polygon(shade, shaded(palette.main, 0.1, -0.02))
    local.oval((0, -0.38), (wide, 0.03), glow)


def phone(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A phone whose screen shows a page."""
    half, tall = rng.between(0.16, 0.185), rng.between(0.62, 0.68)
    local.bar(Box(-half, -tall, half, 0.02), mix(palette.ink, palette.main, 0.1), radius=0.05)
    screen = Box(-half + 0.016, -tall + 0.016, half - 0.016, 0.004)
    page = Blend(lift(palette.main, 0.06), mix(palette.main, palette.second, 0.6))
    local.bar(screen, page, 0.038)
    local.bar(Box(-0.04, -tall + 0.03, 0.04, -tall + 0.048), palette.ink, radius=0.01)
    local.oval((0, -tall * 0.68), (0.075, 0.075), palette.accent)
    for row, wide in enumerate((0.2, 0.15, 0.18)):
        y = -tall * 0.42 + row * 0.05
        local.bar(Box(-wide / 2, y, wide / 2, y + 0.02), palette.paper, radius=0.01)
    local.bar(Box(-0.1, -0.11, 0.1, -0.045), palette.paper, radius=0.033)


def laptop(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A laptop, open, with a chart."""
    metal = mix(palette.paper, palette.ink, 0.3)
    local.bar(Box(-0.33, -0.5, 0.33, -0.04), mix(palette.ink, palette.main, 0.1), radius=0.025)
    screen = Blend(palette.main, mix(palette.main, palette.ink, 0.3))
    local.bar(Box(-0.31, -0.48, 0.31, -0.06), screen, 0.012)
    for step in range(6):
        x, high = -0.24 + step * 0.085, rng.between(0.06, 0.28)
        colour = palette.accent if step % 2 else palette.paper
        local.bar(Box(x, -0.1 - high, x + 0.05, -0.1), colour, 0.012)
    local.polygon([(-0.33, -0.05), (0.33, -0.05), (0.42, 0.02), (-0.42, 0.02)], metal)
    local.bar(Box(-0.42, 0.015, 0.42, 0.035), lift(metal, -0.12), radius=0.01)


def vase(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A vase with a few stems."""
    belly = rng.between(0.13, 0.18)
    for turn in (-28, -9, 12, 30):
        _stem(local, palette, rng, turn)
    half = [(-0.05, -0.34), (-0.045, -0.28), (-belly, -0.13), (-belly * 0.62, 0.015)]
    local.blob(mirrored(half), _round(palette.main))
    local.oval((0, -0.345), (0.052, 0.014), lift(palette.main, -0.18))


def _stem(local: LocalCanvas, palette: Palette, rng: RandomSource, turn: float) -> None:
    x, tall = turn / 90, rng.between(0.55, 0.74)
    green = tone(mix(palette.second, palette.ink, 0.25), turn=0)
    local.line([(0, -0.32), (x * 0.45, -0.47), (x, -tall)], 0.012, green)
    for share, side in ((0.55, 1), (0.75, -1)):
        y = -0.32 - (tall - 0.32) * share
        local.oval((x * share + side * 0.035, y), (0.05, 0.018), green, turn=-35 * side)
    local.oval((x, -tall), (0.055, 0.05), palette.accent)
    local.oval((x, -tall), (0.02, 0.02), palette.paper)


def _orbs(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A balance of plain solids."""
    local.bar(Box(-0.2, -0.2, 0.2, 0.02), _round(palette.main), radius=0.02)
    local.oval((0.02, -0.335), (0.14, 0.14), shaded(palette.second, 0.1, -0.12))
    top = rng.between(0.1, 0.14)
    cone = [(-top + 0.02, -0.47), (top + 0.02, -0.47), (0.02, -0.47 - top * 1.9)]
    local.polygon(cone, _round(palette.accent))


def book(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """A stack of books under an apple."""
    y = 0.02
    for colour in rng.shuffled([*palette.colours, mix(palette.main, palette.ink, 0.4)]):
        half, thick = rng.between(0.22, 0.29), rng.between(0.07, 0.1)
        shift = rng.between(-0.03, 0.03)
        left, right, top = shift - half, shift + half, y - thick
        local.bar(Box(left, top, right, y), colour, radius=0.012)
        local.bar(Box(left + 0.02, y - thick * 0.8, right, y - thick * 0.2), palette.paper)
        local.bar(Box(left, top, left + 0.05, y), lift(colour, -0.06), radius=0.012)
        y -= thick
    local.oval((0, y - 0.085), (0.095, 0.09), _round(palette.accent))
    local.line([(0, y - 0.165), (0.02, y - 0.21)], 0.014, palette.ink)


def _label(local: LocalCanvas, palette: Palette, box: Box) -> None:
    """A paper label with a mark and two lines of type."""
    wide = box.width
    local.bar(box, Blend(palette.paper, mix(palette.paper, palette.ink, 0.25), across=True))
    x, y = box.middle
    local.oval((x, y - box.height * 0.16), (wide * 0.14, wide * 0.14), palette.accent)
    for row, share in ((0.2, 0.5), (0.32, 0.32)):
        line = around(x, y + box.height * row, wide * share / 2, 0.008)
        local.bar(line, palette.ink)


_ALL: Final = (bottle, jar, carton, bag, mug, chair, lamp, phone, laptop, vase, _orbs, book)


SCENES: Final[Mapping[str, Scene]] = {
    "scene": scene,
    **{thing.__name__: partial(scene, thing=thing) for thing in _ALL},
}
