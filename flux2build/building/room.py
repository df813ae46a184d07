"""Room in memory, which is shared by what is done at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """So many bytes; who wants more than are free waits, and later ones wait behind."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._turn, self._freed = asyncio.Lock(), asyncio.Event()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Have so many bytes for a while; what needs more than there are has all of them."""
        size = min(size, self._size)
        async with self._turn:
            while self._free < size:
                self._freed.clear()
                await self._freed.wait()
            self._free -= size
        try:
            yield
        finally:
            self._free += size
            self._freed.set()
