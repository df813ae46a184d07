"""Characters: an animal that looks at you, from the front or as a sheet of views."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from flux2build.images.colour.oklab import lift, lightness, mix
from flux2build.images.colour.srgb import Rgb, from_hex
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, oval, square
from flux2build.providers.sketch.local_coordinates import LocalCanvas, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells one animal from another."""

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
    name: str | None = None, views: int = 1
) -> Callable[[Canvas, Palette, RandomSource], None]:
    """A scene with one kind of animal, or any; a character sheet has several views."""

    def portrait(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
        kind = KINDS[name or rng.pick(("fox", "bear", "cat", "rabbit", "dog"))]
        stage = canvas.stage
        shown = max(views, min(5, int(stage.width / stage.height / 1.6)))
        unit = min(stage.height * 0.98, stage.width * 1.05 / (1 + 0.75 * (shown - 1)))
        base = stage.top + (stage.height + unit) / 2
        middle = stage.middle[0] + (rng.between(-0.08, 0.08) * unit if shown == 1 else 0)
        backdrop(canvas, palette, rng, LocalCanvas(canvas, middle, base, unit))
        turn = rng.sign()
        for number in range(shown):
            x = middle + (number - (shown - 1) / 2) * unit * 0.8
            grown = unit if number == shown // 2 else unit * 0.86
            local = LocalCanvas(canvas, x, base, grown, turn if number % 2 else -turn)
            animal(local, palette, rng.fork(str(number // 2)), kind)

    return portrait


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
    canvas.box(Box(0, level, canvas.width, canvas.height), Blend(tints[1], tints[0]))
    side = rng.sign()
    local.oval((side * 0.36, -0.8), (0.14, 0.14), tints[0])


def _rays(local: LocalCanvas, rng: RandomSource, tints: tuple[Rgb, Rgb]) -> None:
    reach, count = math.hypot(local.canvas.width, local.canvas.height), rng.pick((9, 11, 14))
    centre = local.at((0, -0.5))
    start = rng.between(0, 40)
    for ray in range(count):
        turn = start + ray * 360 / count
        edge = oval(square(*centre, reach), turn, turn + 180 / count)
        local.canvas.polygon([centre, edge[0], edge[-1]], tints[1], 0.5)
    local.oval((0, -0.5), (0.4, 0.4), tints[0])


def animal(local: LocalCanvas, palette: Palette, rng: RandomSource, kind: Kind) -> None:
    """The whole animal, sitting, with a scarf."""
    if kind.ears == "long":
        local = replace(local, unit=local.unit * 0.92)
    fur, scarf = _coat(kind, palette)
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


def _coat(kind: Kind, palette: Palette) -> tuple[Rgb, Rgb]:
    """The fur and the scarf: the prompt's own colour where it is meant for the fur."""
    natural = from_hex(kind.fur)
    if sum(abs(a - b) for a, b in zip(natural, palette.main, strict=True)) < 90:
        return palette.main, palette.second
    return natural, palette.main


def _head(local: LocalCanvas, kind: Kind, coat: tuple[Rgb, Rgb, Rgb], palette: Palette) -> None:
    fur, cream, dark = coat
    inner = mix(cream, palette.accent, 0.3)
    for side in (-1, 1):
        _ear(local, kind, side, (fur, inner, dark))
    if kind.ears == "antenna":
        local.line([(0, -0.82), (0, -0.95)], 0.02, dark)
        local.oval((0, -0.96), (0.035, 0.035), palette.accent)
        local.bar(Box(-0.27, -0.85, 0.27, -0.47), Blend(lift(fur, 0.08), lift(fur, -0.06)), 0.1)
        return
    wide = 0.29 if kind.muzzle == "mask" else 0.26
    skull = [
        (0, -0.87),
        (0.19, -0.81),
        (wide, -0.63),
        (0.15, -0.49),
        (0, -0.45),
        (-0.15, -0.49),
        (-wide, -0.63),
        (-0.19, -0.81),
    ]
    local.blob(skull, Blend(lift(fur, 0.05), lift(fur, -0.03)))


def _ear(local: LocalCanvas, kind: Kind, side: int, coat: tuple[Rgb, Rgb, Rgb]) -> None:
    fur, inner, dark = coat
    match kind.ears:
        case "pointed":
            local.polygon([(side * 0.06, -0.83), (side * 0.25, -0.66), (side * 0.25, -1.0)], fur)
            local.polygon([(side * 0.12, -0.82), (side * 0.22, -0.72), (side * 0.22, -0.92)], inner)
            tip = [(side * 0.25, -1.0), (side * 0.19, -0.946), (side * 0.25, -0.91)]
            if kind.muzzle == "mask":
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
        for side in (-1, 1):
            cheek = [
                (0, -0.49),
                (side * 0.03, -0.62),
                (side * 0.14, -0.66),
                (side * 0.285, -0.63),
                (side * 0.15, -0.485),
            ]
            local.polygon(cheek, cream)
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
    local.blob(band, Blend(lift(colour, 0.03), lift(colour, -0.03)))
    local.oval((0.1, -0.43), (0.055, 0.05), colour)
