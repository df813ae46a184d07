"""Isometric blocks: a small town of solids on a square of ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from flux2build.images.colour.oklab import lift, mix
from flux2build.images.colour.srgb import Rgb
from flux2build.providers.sketch.canvas import Blend, Box, Canvas, Point, shaded
from flux2build.providers.sketch.palette import Palette
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import Scene

Solid = tuple[float, float, float]
"""A point or an extent along the three axes."""


class IsometricGrid(Struct, frozen=True):
    """Isometric axes: a step along x goes right and down, along y left and down."""

    canvas: Canvas
    x: float
    y: float
    cell: float
    ink: Rgb
    """The colour of shade."""

    def at(self, x: float, y: float, z: float) -> Point:
        """A point of the solid world on the canvas."""
        across, down = (x - y) * self.cell * 0.866, (x + y) * self.cell * 0.5
        return self.x + across, self.y + down - z * self.cell

    def block(self, low: Solid, size: Solid, colour: Rgb) -> None:
        """A solid with its lit top, its left face and its right face in shade."""
        (x, y, z), (wide, deep, tall) = low, size
        top, a, b, c = z + tall, (x, y + deep), (x + wide, y + deep), (x + wide, y)
        left = [self.at(*a, z), self.at(*b, z), self.at(*b, top), self.at(*a, top)]
        right = [self.at(*b, z), self.at(*c, z), self.at(*c, top), self.at(*b, top)]
        roof = [self.at(x, y, top), self.at(*c, top), self.at(*b, top), self.at(*a, top)]
        self.canvas.polygon(left, mix(colour, self.ink, 0.16))
        self.canvas.polygon(right, mix(colour, self.ink, 0.4))
        self.canvas.polygon(roof, lift(colour, 0.08))


def scene(canvas: Canvas, palette: Palette, rng: RandomSource) -> None:
    """One island of blocks, or several where the picture is long."""
    low = mix(palette.ground, palette.second, 0.3)
    canvas.box(canvas.frame, Blend(mix(palette.ground, palette.main, 0.12), low))
    stage = canvas.stage
    size = rng.whole(4, 5)
    cell = min(stage.width / (size * 2.05), stage.height / (size * 1.62))
    islands = max(1, min(5, int(stage.width / (cell * size * 2.1))))
    for number in range(islands):
        x = stage.middle[0] + (number - (islands - 1) / 2) * cell * size * 2.0
        y = stage.middle[1] - cell * size * 0.22
        _island(IsometricGrid(canvas, x, y, cell, palette.ink), palette, rng, size)


def _island(grid: IsometricGrid, palette: Palette, rng: RandomSource, size: int) -> None:
    """A base with a tower, a stair or a tree on most of its fields."""
    base = mix(palette.paper, palette.second, 0.25 if not palette.dark else 0.5)
    x, y = grid.at(size / 2, size / 2, -0.8)
    reach = grid.cell * size
    shade = Box(x - reach * 1.05, y - reach * 0.55, x + reach * 1.05, y + reach * 0.75)
    grid.canvas.glow(shade, palette.ink, 0.5)
    grid.block((0, 0, -0.35), (size, size, 0.35), base)
    for row in range(size):
        for column in range(size):
            _field(grid, palette, rng, (column, row, size))


def _field(
    grid: IsometricGrid, palette: Palette, rng: RandomSource, field: tuple[int, int, int]
) -> None:
    column, row, size = field
    x, y = column + 0.1, row + 0.1
    tall = rng.between(0.3, 0.6) + (size - max(column, row)) * rng.between(0.05, 0.32)
    colour = rng.pick(palette.colours)
    match rng.whole(0, 9):
        case 0 | 1:
            return
        case 2:
            trunk = mix(palette.ink, palette.accent, 0.3)
            grid.block((x + 0.33, y + 0.33, 0), (0.14, 0.14, 0.25), trunk)
            green = shaded(mix(palette.second, (70, 130, 90), 0.4), 0.08, -0.1)
            grid.canvas.circle(grid.at(x + 0.4, y + 0.4, 0.52), grid.cell * 0.36, green)
        case 3:
            for step in range(3):
                grid.block((x + 0.27 * step, y, 0), (0.27, 0.8, 0.3 * (3 - step)), colour)
        case 4 | 5:
            grid.block((x, y, 0), (0.8, 0.8, tall * 0.6), colour)
            grid.block((x + 0.2, y + 0.2, tall * 0.6), (0.4, 0.4, 0.3), rng.pick(palette.colours))
        case _:
            grid.block((x, y, 0), (0.8, 0.8, tall), colour)


SCENES: Final[Mapping[str, Scene]] = {"scene": scene}
