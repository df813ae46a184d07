"""Renders with open weights: free, one picture at a time on each device."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.errors import HaltedError
from flux2build.ledger import Delivered
from flux2build.ledger.journal import Journal
from flux2build.model import Bought, Generate, Order, Receipt, Recipe
from flux2build.providers.contract import Reference
from flux2build.purchasing.order_errors import failing_alone
from flux2build.purchasing.renderer import LoadReferences
from flux2build.purchasing.verification import verify_picture
from flux2build.purchasing.weights.rendering import Rendering
from flux2build.purchasing.weights.request import Rendered, Wanted
from flux2build.purchasing.weights.under_way import UnderWay
from flux2build.storage.store import Store

_SEEDS: Final = 2**32
"""One more than the highest seed that is drawn."""


class WeightsRenderer(Struct, frozen=True):
    """Renders each order on a free device.

    Implements `renderer.Renderer`.
    """

    provider: str
    """The provider's name, for receipts."""
    rendering: Rendering
    under_way: UnderWay
    store: Store
    journal: Journal
    seeds: Mapping[Digest, int]
    """The seeds that were drawn for orders before."""
    halt: asyncio.Event
    """Set to render nothing more."""
    left: asyncio.Event
    """Set when nothing waits for the running pictures any more, which may be needed later."""

    async def buy(self, order: Order, recipe: Recipe, references: LoadReferences) -> Bought:
        """Render a picture, keep it in the store and note it in the ledger, free of charge.

        If an earlier build has started to render it, that rendering is awaited.
        """
        return await self.under_way.bought(
            order.digest, lambda: self._rendered(order, recipe, references), self.left
        )

    async def _rendered(self, order: Order, recipe: Recipe, references: LoadReferences) -> Bought:
        if not isinstance(recipe.task, Generate):  # pragma: no cover - only orders are rendered
            raise TypeError(recipe)
        wanted = Wanted(recipe.asset, recipe.task.card, order, self._seed(order))

        async def at_its_turn() -> Sequence[Reference]:
            if self.halt.is_set():
                raise HaltedError
            return await references()

        rendered = await self.rendering.render(
            wanted,
            at_its_turn,
            lambda step, steps: self.under_way.on_step(recipe.asset, step, steps),
        )
        return await asyncio.to_thread(self._kept, order, recipe, rendered, wanted.seed)

    def unsettled(self, order: Digest) -> bool:
        """Always false: an order is rendered, or it is not."""
        del order
        return False

    def _seed(self, order: Order) -> int:
        """The order's seed, else the one drawn for it before, else a new one."""
        given = order.params.get("seed", self.seeds.get(order.digest))
        return given if isinstance(given, int) else secrets.randbelow(_SEEDS)

    def _kept(self, order: Order, recipe: Recipe, rendered: Rendered, seed: int) -> Bought:
        with failing_alone(recipe.output, *recipe.inputs):
            verify_picture(recipe.asset, order.params, rendered.picture)
        receipt = Receipt(
            self.provider, rendered.software, Decimal(0), cost_source="free", seed=seed
        )
        bought = Bought(self.store.put(rendered.picture), receipt)
        # It can be made again, so the ledger need not be on the disk before the build goes on.
        entry = Delivered(order=order.digest, output=bought.digest, receipt=receipt)
        self.journal.append(entry, durable=False)
        return bought
