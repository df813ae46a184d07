"""Where rendered pictures come from: the embedded renderer, or a paid provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from flux2build.digest import Digest
from flux2build.errors import DecisionError, HaltedError, Problem
from flux2build.images.decode import probe
from flux2build.ledger import Delivered
from flux2build.ledger.journal import Journal
from flux2build.model import Bought, Order, Receipt, Recipe
from flux2build.providers.contract import Embedded, Ready, Reference
from flux2build.storage.store import Store

Loading = Callable[[], Awaitable[Sequence[Reference]]]
"""Reads an order's references when its turn has come: an order that waits holds no pictures."""


@dataclass(frozen=True, slots=True)
class LocalRenderer:
    """Draws with an embedded provider, on as many threads as there are jobs."""

    provider: Embedded
    store: Store
    journal: Journal
    project: str
    slots: asyncio.Semaphore
    halt: asyncio.Event
    """Set when nothing more is to be drawn."""

    async def buy(self, order: Order, recipe: Recipe, references: Loading) -> Bought:
        """Draw a picture, keep it in the store and note it in the ledger, free of charge."""
        async with self.slots:
            if self.halt.is_set():
                raise HaltedError
            return await asyncio.to_thread(self._draw, order, recipe, await references())

    def unsettled(self, order: Digest) -> bool:
        """No: what is drawn here is here."""
        del order
        return False

    def _draw(self, order: Order, recipe: Recipe, references: Sequence[Reference]) -> Bought:
        data = self.provider.draw(order, references)
        verify(order, recipe, data)
        receipt = Receipt(self.provider.name, cost=Decimal(0), cost_source="free")
        bought = Bought(self.store.put(data), receipt)
        self.journal.append(
            Delivered(order=order.digest, output=bought.digest, receipt=receipt), durable=False
        )
        return bought


def verify(order: Order, recipe: Recipe, data: bytes) -> None:
    """Decode a picture in full and compare it with what was ordered.

    Raises:
        DecisionError: it is whole, but of another size or format than ordered.
        PictureError: it is no whole picture.
    """
    found = probe(data, recipe.output)
    wanted = {name: order.params.get(name) for name in ("width", "height", "format")}
    seen = {"width": found.width, "height": found.height, "format": found.format}
    wrong = [n for n in wanted if wanted[n] is not None and wanted[n] != seen[n]]
    if wrong:
        raise DecisionError(
            Problem(
                f"the picture of `{recipe.asset}` is not what was ordered",
                rows=tuple((name, f"{seen[name]}, ordered {wanted[name]}") for name in wrong),
            )
        )


def same_seed(order: Order, recipe: Recipe, ready: Ready) -> None:
    """See that the server rendered with the seed that was ordered, where it tells.

    Raises:
        DecisionError: it rendered with another one.
    """
    ordered = order.params.get("seed")
    if ordered is not None and ready.seed is not None and ready.seed != ordered:
        raise DecisionError(
            Problem(
                f"the picture of `{recipe.asset}` is not what was ordered",
                rows=(("seed", f"{ready.seed}, ordered {ordered}"),),
            )
        )
