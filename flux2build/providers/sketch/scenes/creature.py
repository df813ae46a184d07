"""Characters: an animal that looks at you, from the front or as a sheet of views."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from flux2build.images.colour.oklab import lift, lightness, mix
from flux2build.images.colour.srgb import Rgb, from_hex
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, oval, square
from flux2build.providers.sketch.local_coordinates import Spot, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import Chance


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


def scene(name: str | None = None, views: int = 1) -> Callable[[Canvas, Palette, Chance], None]:
    """A scene with one kind of animal, or any; a character sheet has several views."""

    def portrait(canvas: Canvas, palette: Palette, chance: Chance) -> None:
        kind = KINDS[name or chance.pick(("fox", "bear", "cat", "rabbit", "dog"))]
        stage = canvas.stage
        shown = max(views, min(5, int(stage.width / stage.height / 1.6)))
        unit = min(stage.height * 0.98, stage.width * 1.05 / (1 + 0.75 * (shown - 1)))
        base = stage.top + (stage.height + unit) / 2
        middle = stage.middle[0] + (chance.between(-0.08, 0.08) * unit if shown == 1 else 0)
        backdrop(canvas, palette, chance, Spot(canvas, middle, base, unit))
        turn = chance.sign()
        for number in range(shown):
            x = middle + (number - (shown - 1) / 2) * unit * 0.8
            grown = unit if number == shown // 2 else unit * 0.86
            spot = Spot(canvas, x, base, grown, turn if number % 2 else -turn)
            animal(spot, palette, chance.fork(str(number // 2)), kind)

    return portrait


def backdrop(canvas: Canvas, palette: Palette, chance: Chance, spot: Spot) -> None:
    """A plain ground, and something quiet behind the character."""
    hue = chance.pick((palette.second, palette.accent, palette.main))
    strength = chance.between(0.22, 0.4) if palette.dark else chance.between(0.14, 0.3)
    low = mix(palette.ground, hue, strength)
    canvas.box(canvas.frame, Blend(mix(palette.ground, hue, strength * 0.4), low))
    halo = mix(palette.ground, hue, min(0.75, strength * 2.1))
    behind = chance.pick((_disc, _disc, _arch, _floor, _rays))
    behind(spot, chance, (halo, mix(halo, palette.ground, 0.35)))
    for _ in range(chance.whole(4, 9)):
        dot = canvas.width * chance.unit(), canvas.height * chance.between(0.05, 0.75)
        size = spot.unit * chance.between(0.008, 0.022)
        canvas.circle(dot, size, mix(palette.accent, low, 0.2))


def _disc(spot: Spot, chance: Chance, tints: tuple[Rgb, Rgb]) -> None:
    spot.oval((0, -0.52), (0.47, 0.47), tints[0])
    if chance.flip():
        spot.oval((0, -0.52), (0.37, 0.37), tints[1])


def _arch(spot: Spot, chance: Chance, tints: tuple[Rgb, Rgb]) -> None:
    half = chance.between(0.38, 0.46)
    spot.bar(Box(-half, -1.0, half, -0.04), Blend(*tints), half)


def _floor(spot: Spot, chance: Chance, tints: tuple[Rgb, Rgb]) -> None:
    canvas = spot.canvas
    level = spot.y - spot.unit * chance.between(0.08, 0.2)
    canvas.box(Box(0, level, canvas.width, canvas.height), Blend(tints[1], tints[0]))
    side = chance.sign()
    spot.oval((side * 0.36, -0.8), (0.14, 0.14), tints[0])


def _rays(spot: Spot, chance: Chance, tints: tuple[Rgb, Rgb]) -> None:
    reach, count = math.hypot(spot.canvas.width, spot.canvas.height), chance.pick((9, 11, 14))
    centre = spot.at((0, -0.5))
    start = chance.between(0, 40)
    for ray in range(count):
        turn = start + ray * 360 / count
        edge = oval(square(*centre, reach), turn, turn + 180 / count)
        spot.canvas.polygon([centre, edge[0], edge[-1]], tints[1], 0.5)
    spot.oval((0, -0.5), (0.4, 0.4), tints[0])


def animal(spot: Spot, palette: Palette, chance: Chance, kind: Kind) -> None:
    """The whole animal, sitting, with a scarf."""
    if kind.ears == "long":
        spot = replace(spot, unit=spot.unit * 0.92)
    fur, scarf = _coat(kind, palette)
    cream = mix(lift(fur, 0.3), (255, 248, 238), 0.55)
    dark = mix(fur, (38, 26, 24), 0.55)
    spot.shade((0, -0.03), (0.52, 0.09), palette.ink, 0.55)
    if kind.tail:
        tail = path("0.1,-0.1 0.3,-0.06 0.43,-0.2 0.42,-0.4 0.34,-0.46 0.3,-0.34 0.24,-0.22")
        spot.blob(tail, Blend(cream if kind.muzzle == "mask" else fur, lift(fur, -0.05)))
    body = path("-0.14,-0.5 0.14,-0.5 0.23,-0.22 0.21,-0.05 0,-0.02 -0.21,-0.05 -0.23,-0.22")
    spot.blob(body, Blend(fur, lift(fur, -0.09)))
    spot.oval((0, -0.2), (0.12, 0.17), cream)
    for side in (-1, 1):
        spot.oval((side * 0.11, -0.045), (0.085, 0.045), dark)
        spot.oval((side * 0.2, -0.27), (0.05, 0.13), lift(fur, -0.05), turn=side * -14)
    _head(spot, kind, (fur, cream, dark), palette)
    _scarf(spot, scarf)
    _face(spot, kind, (fur, cream, dark), palette, chance)


def _coat(kind: Kind, palette: Palette) -> tuple[Rgb, Rgb]:
    """The fur and the scarf: the prompt's own colour where it is meant for the fur."""
    natural = from_hex(kind.fur)
    if sum(abs(a - b) for a, b in zip(natural, palette.main, strict=True)) < 90:
        return palette.main, palette.second
    return natural, palette.main


def _head(spot: Spot, kind: Kind, coat: tuple[Rgb, Rgb, Rgb], palette: Palette) -> None:
    fur, cream, dark = coat
    inner = mix(cream, palette.accent, 0.3)
    for side in (-1, 1):
        _ear(spot, kind, side, (fur, inner, dark))
    if kind.ears == "antenna":
        spot.line([(0, -0.82), (0, -0.95)], 0.02, dark)
        spot.oval((0, -0.96), (0.035, 0.035), palette.accent)
        spot.bar(Box(-0.27, -0.85, 0.27, -0.47), Blend(lift(fur, 0.08), lift(fur, -0.06)), 0.1)
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
    spot.blob(skull, Blend(lift(fur, 0.05), lift(fur, -0.03)))


def _ear(spot: Spot, kind: Kind, side: int, coat: tuple[Rgb, Rgb, Rgb]) -> None:
    fur, inner, dark = coat
    match kind.ears:
        case "pointed":
            spot.polygon([(side * 0.06, -0.83), (side * 0.25, -0.66), (side * 0.25, -1.0)], fur)
            spot.polygon([(side * 0.12, -0.82), (side * 0.22, -0.72), (side * 0.22, -0.92)], inner)
            tip = [(side * 0.25, -1.0), (side * 0.19, -0.946), (side * 0.25, -0.91)]
            if kind.muzzle == "mask":
                spot.polygon(tip, dark)
        case "round":
            shade = dark if kind.muzzle == "panda" else fur
            spot.oval((side * 0.2, -0.82), (0.085, 0.085), shade)
            spot.oval((side * 0.2, -0.82), (0.045, 0.045), inner if shade == fur else shade)
        case "long":
            spot.oval((side * 0.1, -0.9), (0.06, 0.17), fur, turn=side * 10)
            spot.oval((side * 0.1, -0.89), (0.03, 0.12), inner, turn=side * 10)
        case "floppy":
            spot.oval((side * 0.25, -0.66), (0.075, 0.16), dark, turn=side * -16)
        case _:
            spot.bar(Box(side * 0.29 - 0.03, -0.72, side * 0.29 + 0.03, -0.6), dark, 0.015)


def _face(
    spot: Spot, kind: Kind, coat: tuple[Rgb, Rgb, Rgb], palette: Palette, chance: Chance
) -> None:
    _, cream, dark = coat
    black = mix(palette.ink, (20, 16, 18), 0.6)
    if kind.muzzle == "screen":
        spot.bar(Box(-0.2, -0.78, 0.2, -0.55), black, 0.06)
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
            spot.polygon(cheek, cream)
    elif kind.muzzle == "panda":
        for side in (-1, 1):
            spot.oval((side * 0.11, -0.67), (0.06, 0.075), dark, turn=side * 24)
    else:
        spot.oval((0, -0.56), (0.12, 0.085), cream)
    eye = chance.between(0.024, 0.03)
    for side in (-1, 1):
        spot.oval((side * 0.11, -0.67), (eye, eye * 1.25), black)
        spot.oval((side * 0.11 + 0.008, -0.682), (eye * 0.34, eye * 0.34), (255, 255, 255))
        spot.shade((side * 0.18, -0.58), (0.06, 0.045), BLUSH, 0.4)
    if kind.muzzle != "screen":
        spot.oval((0, -0.59), (0.036, 0.026), dark if lightness(dark) < 0.4 else black)
        spot.line([(-0.035, -0.535), (0, -0.52), (0.035, -0.535)], 0.009, dark)


def _scarf(spot: Spot, colour: Rgb) -> None:
    band = path("-0.19,-0.5 0,-0.455 0.19,-0.5 0.21,-0.44 0,-0.375 -0.21,-0.44")
    deep = lift(colour, -0.07)
    spot.polygon([(0.06, -0.42), (0.15, -0.44), (0.2, -0.17), (0.09, -0.15)], deep)
    for step in range(3):
        x = 0.1 + step * 0.036
        spot.line([(x, -0.16), (x + 0.004, -0.12)], 0.014, deep)
    spot.blob(band, Blend(lift(colour, 0.03), lift(colour, -0.03)))
    spot.oval((0.1, -0.43), (0.055, 0.05), colour)
