"""A person, head and shoulders, on a plain ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flux2build.images.colour.oklab import lift, mix
from flux2build.images.colour.srgb import Rgb, from_hex
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, shaded, side_by_side
from flux2build.providers.sketch.local_coordinates import LocalCanvas, mirrored, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import Scene
from flux2build.providers.sketch.scenes.creature import BLUSH, backdrop

_SKIN: Final = ("f2cfb4", "e0ac86", "c68a62", "9a6544", "6f4630", "4f3222")
_FRINGES: Final = {
    "curls": "-0.16,-0.72 -0.08,-0.86 0.1,-0.86 0.165,-0.7 0.06,-0.76 -0.06,-0.74",
    "short": "-0.175,-0.62 -0.18,-0.78 -0.06,-0.9 0.12,-0.885 0.185,-0.76 0.17,-0.64 0.12,-0.76"
    " -0.06,-0.765 -0.14,-0.72",
}
_PARTED: Final = (
    "-0.18,-0.58 -0.17,-0.8 -0.02,-0.885 0.15,-0.82 0.182,-0.6 0.13,-0.72 0.02,-0.8 -0.1,-0.74"
)
"""The fringe of every other style."""
_HAIR: Final = ("2a211f", "4a3228", "7a4a2e", "b5803f", "8b8580", "1d2230")


def scene(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """One portrait, or a row of them where the picture is wide."""
    stage = canvas.stage
    unit = min(canvas.height * 0.88, stage.width)
    bottom = canvas.height
    views = max(1, min(7, int(stage.width / (unit * 1.05))))
    backdrop(canvas, palette, rng, LocalCanvas(canvas, stage.middle[0], bottom, unit))
    canvas.cut_out()
    for x in side_by_side(stage.middle[0], views, unit, 0.9):
        _person(LocalCanvas(canvas, x, bottom, unit, rng.sign()), palette, rng)


def _person(local: LocalCanvas, palette: Palette, rng: RandomSource) -> None:
    """One person; y = 0 cuts them at the chest."""
    skin, hair = from_hex(rng.pick(_SKIN)), from_hex(rng.pick(_HAIR))
    style = rng.pick(("bob", "short", "bun", "curls", "long"))
    shirt = palette.main
    if style in {"bob", "long"}:
        deep = -0.36 if style == "bob" else -0.14
        half = [(0, -0.9), (0.17, -0.82), (0.22, -0.6), (0.215, deep), (0, deep + 0.03)]
        local.blob(mirrored(half), lift(hair, -0.03))
    if style == "bun":
        local.oval((0, -0.92), (0.085, 0.08), hair)
    torso = mirrored(path("-0.43,0.01 -0.42,-0.14 -0.3,-0.25 -0.1,-0.3"))
    local.polygon(torso, shaded(shirt, 0.03, -0.08))
    local.bar(Box(-0.075, -0.5, 0.075, -0.24), lift(skin, -0.07), 0.06)
    _collar(local, palette, rng, skin)
    if style == "curls":
        curls = "-0.17,-0.66 -0.17,-0.78 -0.08,-0.87 0.04,-0.89 0.14,-0.82 0.18,-0.71 0.16,-0.6"
        for curl in path(f"{curls} -0.15,-0.57"):
            local.oval(curl, (0.09, 0.09), hair)
    for side in (-1, 1):
        local.oval((side * 0.165, -0.6), (0.028, 0.045), lift(skin, -0.05))
    face = mirrored(path("0,-0.83 0.13,-0.78 0.165,-0.62 0.11,-0.46 0,-0.405"))
    local.blob(face, Blend(skin, lift(skin, -0.03), across=True))
    local.blob(path(_FRINGES.get(style, _PARTED)), hair)
    _features(local, palette, rng, skin)


def _collar(local: LocalCanvas, palette: Palette, rng: RandomSource, skin: Rgb) -> None:
    if rng.flip():
        local.polygon([(-0.1, -0.305), (0.1, -0.305), (0, -0.16)], lift(skin, -0.02))
        for side in (-1, 1):
            wing = [(side * 0.1, -0.31), (side * 0.01, -0.15), (side * 0.13, -0.2)]
            local.polygon(wing, palette.paper)
    else:
        local.bar(Box(-0.105, -0.34, 0.105, -0.26), palette.second, 0.035)


def _features(local: LocalCanvas, palette: Palette, rng: RandomSource, skin: Rgb) -> None:
    line = mix(skin, (40, 22, 18), 0.72)
    for side in (-1, 1):
        local.oval((side * 0.067, -0.625), (0.014, 0.018), (34, 24, 24))
        local.line([(side * 0.04, -0.675), (side * 0.095, -0.68)], 0.011, line)
        local.shade((side * 0.09, -0.55), (0.06, 0.045), BLUSH, 0.35)
    local.line([(0.004, -0.6), (0.02, -0.55), (0, -0.545)], 0.009, lift(skin, -0.14))
    mouth = [(-0.042, -0.492), (0, -0.478), (0.042, -0.492)]
    local.line(mouth, 0.011, mix(skin, (150, 40, 50), 0.6))
    if rng.flip(0.35):
        for side in (-1, 1):
            local.ring((side * 0.067, -0.622), 0.046, 0.009, palette.ink)
        local.line([(-0.022, -0.625), (0.022, -0.625)], 0.008, palette.ink)


SCENES: Final[Mapping[str, Scene]] = {"scene": scene}
