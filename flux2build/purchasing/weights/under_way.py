"""Pictures that are rendered, or wait for a device; under `watch` they may outlast a build."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Coroutine
from dataclasses import dataclass, field
from typing import Any

from flux2build.digest import Digest
from flux2build.errors import HaltedError
from flux2build.model import AssetName, Bought
from flux2build.purchasing.weights.devices import Workers


@dataclass(eq=False)
class UnderWay:
    """The pictures that are being rendered, or wait for a device, by order."""

    workers: Workers
    """The devices of this machine that may render them."""
    on_step: Callable[[AssetName, int, int], None] = lambda _asset, _step, _steps: None
    """The callback for each step of a picture, with the number of steps."""
    _tasks: dict[Digest, asyncio.Task[Bought]] = field(default_factory=dict, init=False)

    async def bought(
        self, order: Digest, render: Callable[[], Coroutine[Any, Any, Bought]], left: asyncio.Event
    ) -> Bought:
        """The picture of an order, which is rendered unless it is already being rendered.

        Cancelling this cancels the rendering. After `left` is set, a picture that a device of this
        machine has started continues.

        Raises:
            HaltedError: `left` was set.
        """
        if (task := self._tasks.get(order)) is None:
            task = self._tasks[order] = asyncio.create_task(render())
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
        leaving = asyncio.create_task(left.wait())
        try:
            await asyncio.wait((task, leaving), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._cancel(order)
            raise
        finally:
            leaving.cancel()
        if task.done():
            del self._tasks[order]
            return await task
        if order not in self.workers.rendering:
            await self._cancel(order)
        raise HaltedError

    def keep(self, wanted: Container[Digest]) -> None:
        """Stop the renderings of all other orders."""
        for order in [order for order in self._tasks if order not in wanted]:
            task, worker = self._tasks.pop(order), self.workers.rendering.get(order)
            if worker is None or worker.pid is None:
                task.cancel()
            else:
                worker.stop()

    async def close(self) -> None:
        """Cancel everything."""
        for order in list(self._tasks):
            await self._cancel(order)

    async def _cancel(self, order: Digest) -> None:
        task = self._tasks.pop(order)
        task.cancel()
        await asyncio.wait((task,))
