"""What renders small pictures with made-up weights, and what it tells meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flux2build.digest import Json
from flux2build.model import AssetName, Bought, Generate, Order, Recipe
from flux2build.providers.contract import Reference
from flux2build.purchasing.weights.renderer import WeightsRenderer

FAKE: Final = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))
NAME: Final = "local/flux-2-klein-4b@sha256:" + "0" * 64


def order(prompt: str, **params: Json) -> Order:
    """An order of a small picture."""
    usual: dict[str, Json] = {"width": 64, "height": 80, "format": "png", "steps": 2}
    return Order(NAME, prompt, usual | params, ())


def recipe_of(order: Order) -> Recipe:
    """A recipe that asks for an order."""
    task = Generate("local", order.model, order.prompt, order.params)
    return Recipe(AssetName("fox"), task, (), "fox.png")


async def rendered(renderer: WeightsRenderer, order: Order, *references: Reference) -> Bought:
    """Render an order."""

    async def loaded() -> Sequence[Reference]:
        return references

    return await renderer.buy(order, recipe_of(order), loaded)


@dataclass
class Listening:
    """A build that notes the steps that it is told of, and may be halted."""

    halt: asyncio.Event = field(default_factory=asyncio.Event, kw_only=True)
    steps: list[tuple[str, int, int]] = field(default_factory=list, init=False)
    stepped: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def on_step(self, *step: Any) -> None:
        """Note a step."""
        self.steps.append(step)
        self.stepped.set()


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
