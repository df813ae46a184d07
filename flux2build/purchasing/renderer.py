"""The contract of renderers, the sources of a build's pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from flux2build.digest import Digest
from flux2build.model import Bought, Order, Recipe
from flux2build.providers.contract import Reference

LoadReferences = Callable[[], Awaitable[Sequence[Reference]]]
"""Reads an order's references at its turn, so that waiting orders do not hold pictures."""


class Renderer(Protocol):
    """A source of rendered pictures: a paid provider, or an embedded one."""

    async def buy(self, order: Order, recipe: Recipe, references: LoadReferences) -> Bought:
        """Render an order, or collect it if it was submitted; the bytes go into the store."""

    def unsettled(self, order: Digest) -> bool:
        """Whether an order is pending, kept aside or in doubt, or was bought in this build."""
