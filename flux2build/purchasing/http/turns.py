"""Turns of orders: some are prepared, some are pending at the server, and some arrive.

A server counts an order as pending until its picture is ready. While that is fetched and kept,
the next order is pending already; no more pictures arrive at once than orders may be pending.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Turn:
    """The turn of one order, which holds a place in one stage at a time."""

    _turns: Turns
    _place: asyncio.Semaphore

    async def pend(self) -> None:
        """Wait until one more order may be pending."""
        await self._take(self._turns.pending)

    async def arrive(self) -> None:
        """Leave the place at the server once one more picture may arrive."""
        await self._take(self._turns.arriving)

    async def _take(self, place: asyncio.Semaphore) -> None:
        if place is not self._place:
            await place.acquire()
            self._place.release()
            self._place = place

    def end(self) -> None:
        """Leave the place that the order has now."""
        self._place.release()


@dataclass(slots=True)
class Turns:
    """As many places in each stage as orders may be pending at once."""

    places: int
    _prepared: asyncio.Semaphore = field(init=False)
    pending: asyncio.Semaphore = field(init=False)
    arriving: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._prepared, self.pending, self.arriving = (
            asyncio.Semaphore(self.places) for _ in range(3)
        )

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """The turn of one order, from its preparation to its end."""
        await self._prepared.acquire()
        turn = Turn(self, self._prepared)
        try:
            yield turn
        finally:
            turn.end()
