"""The devices of this machine; each renders one picture at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.model import Order
from flux2build.providers import references as sending
from flux2build.providers.capabilities import Card
from flux2build.providers.contract import Installed
from flux2build.purchasing.renderer import LoadReferences
from flux2build.purchasing.weights.failures import WorkerError, failure
from flux2build.purchasing.weights.process import Worker
from flux2build.purchasing.weights.rendering import OnStep
from flux2build.purchasing.weights.request import Model, Rendered, Request, Wanted


class Devices(Struct, frozen=True):
    """Hands each order to a worker that is free.

    Implements `rendering.Rendering`.
    """

    provider: Installed
    workers: Workers
    model: Callable[[str], Model]
    """A model by name, as a worker loads it."""
    lora: Callable[[str], str]
    """The file of a LoRA by its name."""
    cards: Mapping[str, Card]
    configuration: str = "your configuration"
    """The name for messages of the file with the models' settings."""

    async def render(self, wanted: Wanted, references: LoadReferences, on_step: OnStep) -> Rendered:
        """Render a picture in a worker process."""
        order, model = wanted.order, self.model(wanted.card)
        loras = self._loras(order)
        async with self.workers.free(model) as worker:
            card = self.cards[wanted.card]
            sent = [sending.prepared(each, card).data for each in await references()]
            arguments, form = self.provider.arguments(order), str(order.params["format"])
            request = Request(model, arguments, wanted.seed, form, sent, loras)
            self.workers.rendering[order.digest] = worker
            try:
                return await worker.render(request, on_step)
            except WorkerError as error:
                raise failure(
                    wanted.asset, error, worker.device, model, self.configuration
                ) from error
            finally:
                del self.workers.rendering[order.digest]

    def _loras(self, order: Order) -> list[tuple[str, float, str]]:
        """The files of an order's LoRA, with their strengths and digests."""
        loras: Any = order.params.get("loras", ())
        return [(self.lora(lora["file"]), lora["scale"], lora["sha256"]) for lora in loras]


@dataclass(eq=False)
class Workers:
    """The workers of all devices; each does one task at a time."""

    workers: Sequence[Worker]
    rendering: dict[Digest, Worker] = field(default_factory=dict, init=False)
    """The worker that renders each order."""
    _idle: list[Worker] = field(init=False)
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._idle, self._slots = list(self.workers), asyncio.Semaphore(len(self.workers))

    @asynccontextmanager
    async def free(self, model: Model) -> AsyncIterator[Worker]:
        """An idle worker; if possible, one with the model in memory."""
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
