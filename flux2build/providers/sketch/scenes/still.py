"""A product on a backdrop: an arch or a disc behind, a plinth below, daylight from one side."""

from __future__ import annotations

from collections.abc import Callable

from flux2build.images.colour.oklab import lift, mix, tone
from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Blend, Box, Canvas
from flux2build.providers.sketch.local_coordinates import LocalCanvas
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import things

Thing = Callable[[LocalCanvas, Palette, RandomSource], None]


def scene(thing: Thing | None = None) -> Callable[[Canvas, Palette, RandomSource], None]:
    """A scene that shows one kind of thing, or any."""

    def still(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
        stage = canvas.stage
        unit = min(stage.height, stage.width * 1.1, canvas.height * 0.8)
        centre = stage.middle[0]
        floor = stage.top + (stage.height + unit) / 2 - unit * 0.06
        _backdrop(canvas, palette, rng, floor - unit * rng.between(0.14, 0.2))
        _behind(LocalCanvas(canvas, centre, floor, unit), palette, rng)
        wide = max(0, int((stage.width / unit - 1.5) / 1.5))
        shown = thing or rng.pick(things.ALL)
        for side in [offset for n in range(wide) for offset in (-1.25 * (n + 1), 1.25 * (n + 1))]:
            _stand(
                LocalCanvas(canvas, centre + side * unit, floor, unit * 0.72), palette, rng, shown
            )
        _stand(LocalCanvas(canvas, centre, floor, unit), palette, rng, shown)

    return still


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
    canvas.box(Box(0, edge, canvas.width, canvas.height), table)
    reach = max(canvas.width, canvas.height) * 0.75
    left = canvas.width * 0.18
    light = lift(palette.paper, 0.02)
    canvas.glow(
        Box(left - reach, -reach, left + reach, reach), light, 0.16 if palette.dark else 0.6
    )


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
        other = mix(palette.second, palette.ground, 0.45)
        local.bar(Box(0.02, -0.7, 0.42, -0.13), other)


def _stand(local: LocalCanvas, palette: Palette, rng: RandomSource, thing: Thing) -> None:
    """A plinth, a long soft shadow, and the thing itself."""
    stone = lift(mix(palette.paper, palette.second, 0.18), -0.02 if not palette.dark else -0.2)
    local.shade((0.26, 0.0), (0.75, 0.13), palette.ink, 0.5)
    if rng.flip(0.72):
        _plinth(local, stone, palette)
        local = LocalCanvas(local.canvas, local.x, local.y - local.unit * 0.13, local.unit * 0.92)
    local.shade((0.1, -0.01), (0.4, 0.07), palette.ink, 0.6)
    thing(local, palette, rng)


def _plinth(local: LocalCanvas, stone: Rgb, palette: Palette) -> None:
    side = Blend(lift(stone, 0.03), mix(stone, palette.ink, 0.38), across=True)
    local.bar(Box(-0.42, -0.13, 0.42, 0.0), side)
    local.oval((0, 0.0), (0.42, 0.075), side)
    local.oval((0, -0.13), (0.42, 0.075), lift(stone, 0.05))
