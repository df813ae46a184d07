"""Renders with open weights: free, on this machine, one picture at a time on each device."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.errors import HaltedError
from flux2build.ledger import Delivered
from flux2build.ledger.journal import Journal
from flux2build.model import AssetName, Bought, Generate, Order, Receipt, Recipe
from flux2build.providers import references as sending
from flux2build.providers.capabilities import Card
from flux2build.providers.contract import Installed
from flux2build.purchasing.order_errors import failing_alone
from flux2build.purchasing.renderer import LoadReferences
from flux2build.purchasing.verification import verify_picture
from flux2build.purchasing.weights.failures import WorkerError, failure
from flux2build.purchasing.weights.process import Worker
from flux2build.purchasing.weights.request import Model, Rendered, Request
from flux2build.storage.store import Store

_SEEDS: Final = 2**32
"""One more than the highest seed that is drawn."""


class WeightsRenderer(Struct, frozen=True):
    """Hands each order to a worker that is free.

    Implements `renderer.Renderer`.
    """

    provider: Installed
    workers: Workers
    model: Callable[[str], Model]
    """A model by name, as a worker loads it."""
    lora: Callable[[str], str]
    """The file of a LoRA by its name."""
    cards: Mapping[str, Card]
    store: Store
    journal: Journal
    seeds: Mapping[Digest, int]
    """The seeds that were drawn for orders before."""
    halt: asyncio.Event
    """Set when nothing more is to be rendered."""
    on_step: Callable[[AssetName, int, int], None] = lambda _asset, _step, _steps: None
    """Told of each step of a picture, and how many steps it takes."""

    async def buy(self, order: Order, recipe: Recipe, references: LoadReferences) -> Bought:
        """Render a picture, keep it in the store and note it in the ledger, free of charge."""
        if not isinstance(recipe.task, Generate):  # pragma: no cover - only orders are rendered
            raise TypeError(recipe)
        card, model = self.cards[recipe.task.card], self.model(recipe.task.card)
        loras = self._loras(order)
        async with self.workers.free(model) as worker:
            if self.halt.is_set():
                raise HaltedError
            sent = [sending.prepared(each, card).data for each in await references()]
            request = Request(
                model,
                self.provider.arguments(order),
                self._seed(order),
                str(order.params["format"]),
                sent,
                loras,
            )
            try:
                rendered = await worker.render(
                    request, lambda step, steps: self.on_step(recipe.asset, step, steps)
                )
            except WorkerError as error:
                raise failure(recipe.asset, error, worker.device, model) from error
        return await asyncio.to_thread(self._kept, order, recipe, rendered, request.seed)

    def unsettled(self, order: Digest) -> bool:
        """Never: an order is rendered, or it is not."""
        del order
        return False

    def _loras(self, order: Order) -> list[tuple[str, float]]:
        """The files of an order's LoRA, with how much of each is added."""
        loras: Any = order.params.get("loras", ())
        return [(self.lora(lora["file"]), lora["scale"]) for lora in loras]

    def _seed(self, order: Order) -> int:
        """The order's seed, else the one drawn for it before, else a new one."""
        given = order.params.get("seed", self.seeds.get(order.digest))
        return given if isinstance(given, int) else secrets.randbelow(_SEEDS)

    def _kept(self, order: Order, recipe: Recipe, rendered: Rendered, seed: int) -> Bought:
        with failing_alone(recipe.output, *recipe.inputs):
            verify_picture(recipe.asset, order.params, rendered.picture)
        receipt = Receipt(
            self.provider.name, rendered.software, Decimal(0), cost_source="free", seed=seed
        )
        bought = Bought(self.store.put(rendered.picture), receipt)
        # It can be made again, so the ledger need not be on the disk before the build goes on.
        entry = Delivered(order=order.digest, output=bought.digest, receipt=receipt)
        self.journal.append(entry, durable=False)
        return bought


@dataclass(eq=False)
class Workers:
    """The workers of all devices; each does one thing at a time."""

    workers: Sequence[Worker]
    _idle: list[Worker] = field(init=False)
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._idle, self._slots = list(self.workers), asyncio.Semaphore(len(self.workers))

    @asynccontextmanager
    async def free(self, model: Model) -> AsyncIterator[Worker]:
        """A worker that has nothing to do; if possible one that has the model in memory."""
        async with self._slots:
            worker = next((each for each in self._idle if each.model == model), self._idle[0])
            self._idle.remove(worker)
            try:
                yield worker
            finally:
                self._idle.append(worker)

    async def close(self) -> None:
        """End all processes."""
        for worker in self.workers:
            await worker.close()
