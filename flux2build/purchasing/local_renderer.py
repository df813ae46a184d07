"""Draws with an embedded provider: free, offline, at once.

Its pictures can be drawn again at any time, with the same bytes, so the ledger does not hold them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct, field

from flux2build.digest import Digest
from flux2build.errors import HaltedError
from flux2build.images.decode import probe_still
from flux2build.model import Bought, Order, Receipt, Recipe
from flux2build.providers.contract import Embedded, Reference
from flux2build.purchasing.order_errors import failing_alone
from flux2build.purchasing.verification import verify_picture
from flux2build.storage.store import Store

if TYPE_CHECKING:
    from flux2build.purchasing.renderer import LoadReferences

Drawing = Callable[[Embedded, Order, Sequence[Reference]], Awaitable[bytes]]
"""Lets a provider draw on another machine."""


class LocalRenderer(Struct, frozen=True, eq=False):
    """Draws with an embedded provider, as many pictures at once as there are slots.

    Implements `renderer.Renderer`.
    """

    provider: Embedded
    store: Store
    slots: asyncio.Semaphore
    halt: asyncio.Event
    """Set to draw nothing more."""
    drawing: Drawing | None = None
    _sound: set[Digest] = field(default_factory=set)
    """The references that were judged; members of a family share theirs."""

    async def buy(self, order: Order, recipe: Recipe, references: LoadReferences) -> Bought:
        """Draw a picture and keep it in the store, free of charge."""
        async with self.slots:
            if self.halt.is_set():
                raise HaltedError
            loaded = await references()
            with failing_alone(recipe.output, *recipe.inputs):
                if self.drawing is None:
                    return await asyncio.to_thread(self._drawn, order, recipe, loaded)
                await asyncio.to_thread(self._judge, order, loaded)
                data = await self.drawing(self.provider, order, loaded)
                return await asyncio.to_thread(self._kept, order, recipe, data)

    def unsettled(self, order: Digest) -> bool:
        """Always false: an order is drawn as soon as it is placed."""
        del order
        return False

    def _drawn(self, order: Order, recipe: Recipe, references: Sequence[Reference]) -> Bought:
        """Draw on this machine; everything in one thread, as waking another takes time, too."""
        self._judge(order, references)
        return self._kept(order, recipe, self.provider.draw(order, references))

    def _judge(self, order: Order, references: Sequence[Reference]) -> None:
        """Refuse a reference that is not a picture; each is judged once."""
        for digest, reference in zip(order.inputs, references, strict=True):
            if digest not in self._sound:
                probe_still(reference.data, reference.name)
                self._sound.add(digest)

    def _kept(self, order: Order, recipe: Recipe, data: bytes) -> Bought:
        verify_picture(recipe.asset, order.params, data)
        receipt = Receipt(self.provider.name, cost=Decimal(0), cost_source="free")
        return Bought(self.store.put(data), receipt)
