"""The families of scenes, and which of them suits a prompt."""

from __future__ import annotations

from collections.abc import Callable

from flux2build.comp.canvas import Canvas
from flux2build.comp.chance import Chance
from flux2build.comp.palette import Palette
from flux2build.comp.scenes import landscape

Scene = Callable[[Canvas, Palette, Chance], None]


def choose(prompt: str, chance: Chance) -> Scene:
    """A scene for the prompt."""
    return chance.fork(prompt).pick([landscape.hills, landscape.sea])
