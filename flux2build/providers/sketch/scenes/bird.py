"""A small round bird, seen from the side, on a branch or as a sheet of views."""

from __future__ import annotations

from collections.abc import Callable

from flux2build.images.colour.oklab import lift, mix, tone
from flux2build.images.colour.srgb import Rgb, from_hex
from flux2build.providers.sketch.canvas import Blend, Box, Canvas
from flux2build.providers.sketch.local_coordinates import LocalCanvas, path
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes.creature import backdrop


def scene(views: int = 1) -> Callable[[Canvas, Palette, RandomSource], None]:
    """A scene with the bird; a character sheet has several views."""

    def perched(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
        stage = canvas.stage
        shown = max(views, min(5, int(stage.width / stage.height / 1.6)))
        unit = min(stage.height * 0.95, stage.width * 0.95 / (1 + (shown - 1)))
        base = stage.top + (stage.height + unit * 0.9) / 2
        middle = stage.middle[0] + (rng.between(-0.1, 0.1) * unit if shown == 1 else 0)
        backdrop(canvas, palette, rng, LocalCanvas(canvas, middle, base, unit))
        y = base - unit * 0.1
        _branch(LocalCanvas(canvas, middle, y, unit), palette, rng)
        turn = rng.sign()
        for number in range(shown):
            x = middle + (number - (shown - 1) / 2) * unit * 1.06
            bird(
                LocalCanvas(canvas, x, y, unit * 0.95, turn if number % 2 == 0 else -turn), palette
            )

    return perched


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


def bird(local: LocalCanvas, palette: Palette) -> None:
    """One bird that stands on y = 0, looking to the right."""
    plumage = _plumage(palette)
    belly = mix(lift(plumage, 0.3), palette.paper, 0.5)
    dark = mix(plumage, palette.ink, 0.55)
    for x in (-0.03, 0.08):
        local.line([(x, -0.14), (x + 0.02, 0)], 0.014, dark)
        local.line([(x - 0.02, 0), (x + 0.07, 0)], 0.014, dark)
    local.polygon([(-0.22, -0.36), (-0.46, -0.68), (-0.36, -0.72), (-0.12, -0.5)], dark)
    local.polygon(
        [(-0.2, -0.3), (-0.48, -0.6), (-0.41, -0.66), (-0.1, -0.45)], lift(plumage, -0.05)
    )
    body = path("-0.3,-0.33 -0.16,-0.55 0.1,-0.66 0.3,-0.5 0.32,-0.3 0.16,-0.12 -0.12,-0.12")
    local.blob(body, Blend(lift(plumage, 0.03), lift(plumage, -0.05)))
    local.blob(path("0.02,-0.16 0.17,-0.13 0.3,-0.27 0.31,-0.42 0.15,-0.36 0.03,-0.26"), belly)
    local.oval((0.2, -0.63), (0.185, 0.175), plumage)
    local.blob(path("0.2,-0.5 0.36,-0.53 0.375,-0.62 0.3,-0.63 0.2,-0.58"), belly)
    local.polygon([(0.365, -0.67), (0.365, -0.59), (0.52, -0.62)], mix(palette.accent, dark, 0.3))
    local.line([(0.12, -0.735), (0.24, -0.745), (0.33, -0.71)], 0.02, lift(plumage, 0.22))
    local.oval((0.26, -0.67), (0.03, 0.034), mix(palette.ink, (16, 14, 16), 0.7))
    local.oval((0.27, -0.682), (0.01, 0.01), (255, 255, 255))
    _wing(local, plumage, dark)
    _scarf(local, palette.second if plumage == palette.main else palette.main)


def _plumage(palette: Palette) -> Rgb:
    """Brown by nature, unless the prompt's first colour is near enough to be meant."""
    natural = from_hex("8f6038")
    near = sum(abs(a - b) for a, b in zip(natural, palette.main, strict=True)) < 110
    return palette.main if near else natural


def _wing(local: LocalCanvas, plumage: Rgb, dark: Rgb) -> None:
    wing = path("0.12,-0.45 0.02,-0.5 -0.16,-0.42 -0.34,-0.28 -0.2,-0.22 0.02,-0.25 0.12,-0.34")
    local.blob(wing, Blend(mix(plumage, dark, 0.25), mix(plumage, dark, 0.6)))
    for step in range(3):
        x, y = -0.02 - step * 0.07, -0.385 + step * 0.025
        local.line([(x, y), (x - 0.1, y + 0.075)], 0.012, lift(plumage, 0.12))


def _scarf(local: LocalCanvas, colour: Rgb) -> None:
    tail = [(0.02, -0.5), (0.1, -0.48), (-0.02, -0.22), (-0.12, -0.26)]
    local.polygon(tail, lift(colour, -0.08))
    band = path(
        "0.02,-0.55 0.12,-0.49 0.26,-0.465 0.37,-0.5 0.375,-0.43 0.26,-0.395 0.1,-0.42 0.0,-0.49"
    )
    local.blob(band, Blend(lift(colour, 0.03), lift(colour, -0.04)))
