"""Characters: an animal that looks at you, or a small round bird; one, or a sheet of views."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.images.colour.oklab import lift, lightness, mix, tone
from flux2build.images.colour.srgb import Rgb, from_hex
from flux2build.providers.sketch.canvas import (
    Blend,
    Box,
    Canvas,
    oval,
    shaded,
    side_by_side,
    square,
)
from flux2build.providers.sketch.local_coordinates import LocalCanvas, mirrored, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import Scene


class Kind(Struct, frozen=True):
    """The features that tell one animal from another."""

    fur: str
    ears: str
    muzzle: str = "round"
    tail: bool = False


BLUSH: Final = (233, 118, 104)

KINDS: Final = {
    "fox": Kind("d9743a", "pointed", "mask", tail=True),
    "bear": Kind("8a5f44", "round"),
    "cat": Kind("77777f", "pointed", tail=True),
    "rabbit": Kind("cdb9a3", "long"),
    "dog": Kind("b98653", "floppy"),
    "panda": Kind("efeae2", "round", "panda"),
    "robot": Kind("9fb0bd", "antenna", "screen"),
}


def scene(
    canvas: Canvas, palette: Palette, rng: RandomSource, name: str | None = None, views: int = 1
) -> None:
    """One kind of animal, or any; a character sheet has several views."""
    kind = KINDS[name or rng.pick(("fox", "bear", "cat", "rabbit", "dog"))]
    stage = canvas.stage
    count = max(views, min(5, int(stage.width / stage.height / 1.6)))
    unit = min(stage.height * 0.98, stage.width * 1.05 / (1 + 0.75 * (count - 1)))
    base = stage.top + (stage.height + unit) / 2
    middle = stage.middle[0] + (rng.between(-0.08, 0.08) * unit if count == 1 else 0)
    backdrop(canvas, palette, rng, LocalCanvas(canvas, middle, base, unit))
    canvas.cut_out()
    turn = rng.sign()
    for number, x in enumerate(side_by_side(middle, count, unit, 0.8)):
        grown = unit if number == count // 2 else unit * 0.86
        local = LocalCanvas(canvas, x, base, grown, turn if number % 2 else -turn)
        _animal(local, palette, rng.fork(str(number // 2)), kind)


def backdrop(canvas: Canvas, palette: Palette, rng: RandomSource, local: LocalCanvas) -> None:
    """A plain ground, and something quiet behind the character."""
    hue = rng.pick((palette.second, palette.accent, palette.main))
    strength = rng.between(0.22, 0.4) if palette.dark else rng.between(0.14, 0.3)
    low = mix(palette.ground, hue, strength)
    canvas.box(canvas.frame, Blend(mix(palette.ground, hue, strength * 0.4), low))
    halo = mix(palette.ground, hue, min(0.75, strength * 2.1))
    behind = rng.pick((_disc, _disc, _arch, _floor, _rays))
    behind(local, rng, (halo, mix(halo, palette.ground, 0.35)))
    for _ in range(rng.whole(4, 9)):
        dot = canvas.width * rng.unit(), canvas.height * rng.between(0.05, 0.75)
        size = local.unit * rng.between(0.008, 0.022)
        canvas.circle(dot, size, mix(palette.accent, low, 0.2))


def _disc(local: LocalCanvas, rng: RandomSource, tints: tuple[Rgb, Rgb]) -> None:
    local.oval((0, -0.52), (0.47, 0.47), tints[0])
    if rng.flip():
        local.oval((0, -0.52), (0.37, 0.37), tints[1])


def _arch(local: LocalCanvas, rng: RandomSource, tints: tuple[Rgb, Rgb]) -> None:
    half = rng.between(0.38, 0.46)
    local.bar(Box(-half, -1.0, half, -0.04), Blend(*tints), half)


def _floor(local: LocalCanvas, rng: RandomSource, tints: tuple[Rgb, Rgb]) -> None:
    canvas = local.canvas
    level = local.y - local.unit * rng.between(0.08, 0.2)
    canvas.box(canvas.below(level), Blend(tints[1], tints[0]))
    local.oval((rng.sign() * 0.36, -0.8), (0.14, 0.14), tints[0])


def _rays(local: LocalCanvas, rng: RandomSource, tints: tuple[Rgb, Rgb]) -> None:
    reach, count = math.hypot(local.canvas.width, local.canvas.height), rng.pick((9, 11, 14))
    centre = local.at((0, -0.5))
    start = rng.between(0, 40)
    for ray in range(count):
        turn = start + ray * 360 / count
        edge = oval(square(*centre, reach), turn, turn + 180 / count)
        local.canvas.polygon([centre, edge[0], edge[-1]], tints[1], 0.5)
    local.oval((0, -0.5), (0.4, 0.4), tints[0])


def _animal(local: LocalCanvas, palette: Palette, rng: RandomSource, kind: Kind) -> None:
    """The whole animal, sitting, with a scarf."""
    if kind.ears == "long":
        local = replace(local, unit=local.unit * 0.92)
    natural = from_hex(kind.fur)
    coloured = _meant(palette, natural, 90)
    fur, scarf = (palette.main, palette.second) if coloured else (natural, palette.main)
    cream = mix(lift(fur, 0.3), (255, 248, 238), 0.55)
    dark = mix(fur, (38, 26, 24), 0.55)
    local.shade((0, -0.03), (0.52, 0.09), palette.ink, 0.55)
    if kind.tail:
        tail = path("0.1,-0.1 0.3,-0.06 0.43,-0.2 0.42,-0.4 0.34,-0.46 0.3,-0.34 0.24,-0.22")
        local.blob(tail, Blend(cream if kind.muzzle == "mask" else fur, lift(fur, -0.05)))
    body = path("-0.14,-0.5 0.14,-0.5 0.23,-0.22 0.21,-0.05 0,-0.02 -0.21,-0.05 -0.23,-0.22")
    local.blob(body, Blend(fur, lift(fur, -0.09)))
    local.oval((0, -0.2), (0.12, 0.17), cream)
    for side in (-1, 1):
        local.oval((side * 0.11, -0.045), (0.085, 0.045), dark)
        local.oval((side * 0.2, -0.27), (0.05, 0.13), lift(fur, -0.05), turn=side * -14)
    _head(local, kind, (fur, cream, dark), palette)
    _scarf(local, scarf)
    _face(local, kind, (fur, cream, dark), palette, rng)


def _meant(palette: Palette, natural: Rgb, within: int) -> bool:
    """Whether the prompt's first colour is close enough to a natural one to be the animal's."""
    return sum(abs(a - b) for a, b in zip(natural, palette.main, strict=True)) < within


def _head(local: LocalCanvas, kind: Kind, coat: tuple[Rgb, Rgb, Rgb], palette: Palette) -> None:
    fur, cream, dark = coat
    inner = mix(cream, palette.accent, 0.3)
    for side in (-1, 1):
        _ear(local, kind, side, (fur, inner, dark))
    if kind.ears == "antenna":
        local.line([(0, -0.82), (0, -0.95)], 0.02, dark)
        local.oval((0, -0.96), (0.035, 0.035), palette.accent)
        local.bar(Box(-0.27, -0.85, 0.27, -0.47), shaded(fur, 0.08, -0.06), 0.1)
        return
    wide = 0.29 if kind.muzzle == "mask" else 0.26
    skull = mirrored([(0, -0.87), (0.19, -0.81), (wide, -0.63), (0.15, -0.49), (0, -0.45)])
    local.blob(skull, shaded(fur, 0.05, -0.03))


def _ear(local: LocalCanvas, kind: Kind, side: int, coat: tuple[Rgb, Rgb, Rgb]) -> None:
    fur, inner, dark = coat
    match kind.ears:
        case "pointed":
            local.polygon([(side * 0.06, -0.83), (side * 0.25, -0.66), (side * 0.25, -1.0)], fur)
            local.polygon([(side * 0.12, -0.82), (side * 0.22, -0.72), (side * 0.22, -0.92)], inner)
            if kind.muzzle == "mask":
                tip = [(side * 0.25, -1.0), (side * 0.19, -0.946), (side * 0.25, -0.91)]
                local.polygon(tip, dark)
        case "round":
            shade = dark if kind.muzzle == "panda" else fur
            local.oval((side * 0.2, -0.82), (0.085, 0.085), shade)
            local.oval((side * 0.2, -0.82), (0.045, 0.045), inner if shade == fur else shade)
        case "long":
            local.oval((side * 0.1, -0.9), (0.06, 0.17), fur, turn=side * 10)
            local.oval((side * 0.1, -0.89), (0.03, 0.12), inner, turn=side * 10)
        case "floppy":
            local.oval((side * 0.25, -0.66), (0.075, 0.16), dark, turn=side * -16)
        case _:
            local.bar(Box(side * 0.29 - 0.03, -0.72, side * 0.29 + 0.03, -0.6), dark, 0.015)


def _face(
    local: LocalCanvas, kind: Kind, coat: tuple[Rgb, Rgb, Rgb], palette: Palette, rng: RandomSource
) -> None:
    _, cream, dark = coat
    black = mix(palette.ink, (20, 16, 18), 0.6)
    if kind.muzzle == "screen":
        local.bar(Box(-0.2, -0.78, 0.2, -0.55), black, 0.06)
        black = lift(palette.accent, 0.15)
    elif kind.muzzle == "mask":
        cheek = path("0,-0.49 0.03,-0.62 0.14,-0.66 0.285,-0.63 0.15,-0.485")
        for side in (-1, 1):
            local.polygon([(side * x, y) for x, y in cheek], cream)
    elif kind.muzzle == "panda":
        for side in (-1, 1):
            local.oval((side * 0.11, -0.67), (0.06, 0.075), dark, turn=side * 24)
    else:
        local.oval((0, -0.56), (0.12, 0.085), cream)
    eye = rng.between(0.024, 0.03)
    for side in (-1, 1):
        local.oval((side * 0.11, -0.67), (eye, eye * 1.25), black)
        local.oval((side * 0.11 + 0.008, -0.682), (eye * 0.34, eye * 0.34), (255, 255, 255))
        local.shade((side * 0.18, -0.58), (0.06, 0.045), BLUSH, 0.4)
    if kind.muzzle != "screen":
        local.oval((0, -0.59), (0.036, 0.026), dark if lightness(dark) < 0.4 else black)
        local.line([(-0.035, -0.535), (0, -0.52), (0.035, -0.535)], 0.009, dark)


def _scarf(local: LocalCanvas, colour: Rgb) -> None:
    band = path("-0.19,-0.5 0,-0.455 0.19,-0.5 0.21,-0.44 0,-0.375 -0.21,-0.44")
    deep = lift(colour, -0.07)
    local.polygon([(0.06, -0.42), (0.15, -0.44), (0.2, -0.17), (0.09, -0.15)], deep)
    for step in range(3):
        x = 0.1 + step * 0.036
        local.line([(x, -0.16), (x + 0.004, -0.12)], 0.014, deep)
    local.blob(band, shaded(colour, 0.03, -0.03))
    local.oval((0.1, -0.43), (0.055, 0.05), colour)


def bird(canvas: Canvas, palette: Palette, rng: RandomSource, views: int = 1) -> None:
    """The bird on its branch; a character sheet has several views."""
    stage = canvas.stage
    count = max(views, min(5, int(stage.width / stage.height / 1.6)))
    unit = min(stage.height * 0.95, stage.width * 0.95 / (1 + (count - 1)))
    base = stage.top + (stage.height + unit * 0.9) / 2
    middle = stage.middle[0] + (rng.between(-0.1, 0.1) * unit if count == 1 else 0)
    backdrop(canvas, palette, rng, LocalCanvas(canvas, middle, base, unit))
    canvas.cut_out()
    y = base - unit * 0.1
    _branch(LocalCanvas(canvas, middle, y, unit), palette, rng)
    turn = rng.sign()
    for number, x in enumerate(side_by_side(middle, count, unit, 1.06)):
        turned = -turn if number % 2 else turn
        _bird(LocalCanvas(canvas, x, y, unit * 0.95, turned), palette)


def _branch(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    canvas, thick = local.canvas, local.unit * 0.022
    wood = mix(palette.ink, from_hex("7a5b43"), 0.5)
    canvas.box(Box(0, local.y - thick, canvas.width, local.y + thick), wood, thick)
    leaf = tone(palette.second, 0.55)
    for _ in range(5 + 3 * int(canvas.width / local.unit)):
        twig = LocalCanvas(canvas, canvas.width * rng.unit(), local.y, local.unit, rng.sign())
        side = rng.sign()
        colour = mix(leaf, palette.ink, rng.between(0, 0.4))
        twig.oval((0.05, side * 0.045), (0.06, 0.022), colour, turn=side * 32)


def _bird(local: LocalCanvas, palette: Palette) -> None:
    """One bird that stands on y = 0, looking to the right."""
    natural = from_hex("8f6038")
    plumage = palette.main if _meant(palette, natural, 110) else natural
    belly = mix(lift(plumage, 0.3), palette.paper, 0.5)
    dark = mix(plumage, palette.ink, 0.55)
    for x in (-0.03, 0.08):
        local.line([(x, -0.14), (x + 0.02, 0)], 0.014, dark)
        local.line([(x - 0.02, 0), (x + 0.07, 0)], 0.014, dark)
    local.polygon([(-0.22, -0.36), (-0.46, -0.68), (-0.36, -0.72), (-0.12, -0.5)], dark)
    local.polygon(path("-0.2,-0.3 -0.48,-0.6 -0.41,-0.66 -0.1,-0.45"), lift(plumage, -0.05))
    body = path("-0.3,-0.33 -0.16,-0.55 0.1,-0.66 0.3,-0.5 0.32,-0.3 0.16,-0.12 -0.12,-0.12")
    local.blob(body, shaded(plumage, 0.03, -0.05))
    local.blob(path("0.02,-0.16 0.17,-0.13 0.3,-0.27 0.31,-0.42 0.15,-0.36 0.03,-0.26"), belly)
    local.oval((0.2, -0.63), (0.185, 0.175), plumage)
    local.blob(path("0.2,-0.5 0.36,-0.53 0.375,-0.62 0.3,-0.63 0.2,-0.58"), belly)
    local.polygon([(0.365, -0.67), (0.365, -0.59), (0.52, -0.62)], mix(palette.accent, dark, 0.3))
    local.line([(0.12, -0.735), (0.24, -0.745), (0.33, -0.71)], 0.02, lift(plumage, 0.22))
    local.oval((0.26, -0.67), (0.03, 0.034), mix(palette.ink, (16, 14, 16), 0.7))
    local.oval((0.27, -0.682), (0.01, 0.01), (255, 255, 255))
    _wing(local, plumage, dark)
    _bird_scarf(local, palette.second if plumage == palette.main else palette.main)


def _wing(local: LocalCanvas, plumage: Rgb, dark: Rgb) -> None:
    wing = path("0.12,-0.45 0.02,-0.5 -0.16,-0.42 -0.34,-0.28 -0.2,-0.22 0.02,-0.25 0.12,-0.34")
    local.blob(wing, Blend(mix(plumage, dark, 0.25), mix(plumage, dark, 0.6)))
    for step in range(3):
        x, y = -0.02 - step * 0.07, -0.385 + step * 0.025
        local.line([(x, y), (x - 0.1, y + 0.075)], 0.012, lift(plumage, 0.12))


def _bird_scarf(local: LocalCanvas, colour: Rgb) -> None:
    tail = [(0.02, -0.5), (0.1, -0.48), (-0.02, -0.22), (-0.12, -0.26)]
    local.polygon(tail, lift(colour, -0.08))
    band = "0.02,-0.55 0.12,-0.49 0.26,-0.465 0.37,-0.5 0.375,-0.43 0.26,-0.395 0.1,-0.42 0,-0.49"
    local.blob(path(band), shaded(colour, 0.03, -0.04))


SCENES: Final[Mapping[str, Scene]] = {
    "scene": scene,
    "scene sheet": partial(scene, views=3),
    "bird": bird,
    "bird sheet": partial(bird, views=3),
    **{name: partial(scene, name=name) for name in KINDS},
    **{f"{name} sheet": partial(scene, name=name, views=3) for name in KINDS},
}
