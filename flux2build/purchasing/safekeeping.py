"""Makes sure that paid pictures can be kept, and keeps them elsewhere if they cannot.

Before the first order of a run, and again after a failed write, every place that a picture passes
is tried. Once a picture could not be kept, nothing more is ordered; paid pictures are collected
into the spool, because providers keep them for only minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import Digest, Json, of_bytes
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.ledger import Entry
from flux2build.ledger.journal import Journal
from flux2build.purchasing.spool import Spool
from flux2build.storage import probe
from flux2build.storage.store import Store

_AT_ONCE: Final = 2
"""Pictures that are kept and decoded at once; more threads would keep the event loop waiting."""
_PIXELS: Final = 2**20
"""The pixels of a picture whose size is left to the model."""


class Places(Struct, frozen=True):
    """The places that a run writes to, besides ledger and store."""

    lock: Path
    pictures: tuple[Path, ...] = ()
    """The files of pictures that may be ordered."""
    expected: int = 0
    """The most bytes of these pictures together."""


class Stored(Struct, frozen=True):
    """The place of a picture's bytes."""

    digest: Digest
    path: Path
    fault: SystemFault | None = None
    """The reason why they are in the spool instead of the store."""
    wrong: Flux2BuildError | None = None
    """The error if they differ from the order."""


class Safekeeping(Struct, eq=False):
    """Keeps pictures and their entries in the ledger; all renderers of a run share it."""

    store: Store
    journal: Journal
    spool: Spool
    places: Places
    say: Callable[[str], None]
    _proved: bool = False
    _fault: SystemFault | None = None
    _proving: asyncio.Lock = field(default_factory=asyncio.Lock)
    _pictures: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="flux2build-keep")
    )
    """Threads of their own, so that notes of orders do not wait for pictures."""

    async def prove(self) -> None:
        """Make sure that pictures ordered now can be kept.

        Raises:
            SystemFault: they cannot be kept, or an earlier paid picture could not.
        """
        async with self._proving:
            if self._fault is None and not self._proved:
                try:
                    await asyncio.to_thread(self._try_everything)
                except SystemFault as fault:
                    self._fault = fault
                else:
                    self._proved = True
        if self._fault is not None:
            raise self._fault

    def doubt(self) -> None:
        """Note that a write failed: everything is proved again before the next order."""
        self._proved = False

    async def put(self, data: bytes, verify: Callable[[bytes], None] = lambda _: None) -> Stored:
        """Keep a paid picture, in the spool if the store cannot be written, then verify it.

        Raises:
            SystemFault: it cannot be kept anywhere.
        """
        work = partial(copy_context().run, self._put, data, verify)
        return await asyncio.get_running_loop().run_in_executor(self._pictures, work)

    def _put(self, data: bytes, verify: Callable[[bytes], None]) -> Stored:
        try:
            digest = self.store.put(data)
            stored = Stored(digest, self.store.path(digest))
        except SystemFault as fault:
            self._stop(fault)
            stored = self._spooled(data, fault)
        try:
            verify(data)
        except Flux2BuildError as wrong:
            return replace(stored, wrong=wrong)
        return stored

    def _spooled(self, data: bytes, fault: SystemFault) -> Stored:
        """A picture in the spool, because the store could not be written."""
        try:
            return Stored(of_bytes(data), self.spool.keep(data), fault)
        except SystemFault as second:
            raise SystemFault(*fault.problems, *second.problems) from second

    async def note(self, entry: Entry, *, spooled: bool = False) -> SystemFault | None:
        """Note an entry about an order; return the reason if it is not in the ledger.

        An entry about a picture in the spool is noted there, too, because the ledger names only
        bytes in the store.
        """
        if spooled:
            return await self._spool(entry, None)
        try:
            await asyncio.to_thread(self.journal.append, entry)
        except SystemFault as fault:
            self._stop(fault)
            return await self._spool(entry, fault)
        return None

    async def _spool(self, entry: Entry, because: SystemFault | None) -> SystemFault | None:
        """Note an entry in the spool, and say so."""
        try:
            await asyncio.to_thread(self.spool.note, entry)
        except SystemFault as fault:
            self.say(f"warning: {'; '.join(map(str, filter(None, (because, fault))))}")
            return because or fault
        if because is not None:
            self.say(f"warning: {because}; `{self.spool.folder}` tells the next build of it")
        return because

    def _stop(self, fault: SystemFault) -> None:
        """Order nothing more in this run."""
        self._fault = self._fault or fault

    def _try_everything(self) -> None:
        places = self.places
        self.journal.prove_writable()
        self.store.prove()
        for folder in dict.fromkeys(path.parent for path in (places.lock, *places.pictures)):
            probe.takes_files(folder)
        for path in (places.lock, *places.pictures):
            probe.can_be_replaced(path)
        probe.have_room((self.store.folder, places.lock.parent), places.expected)


def expected_bytes(orders: Iterable[Mapping[str, Json]]) -> int:
    """The most bytes of orders' pictures, by their parameters."""
    return sum(_pixels(params) * _bytes_per_pixel(params) for params in orders)


def _pixels(params: Mapping[str, Json]) -> int:
    width, height = params.get("width"), params.get("height")
    if isinstance(width, int) and isinstance(height, int):
        return width * height
    return _PIXELS


def _bytes_per_pixel(params: Mapping[str, Json]) -> int:
    """One if the format loses detail, else three."""
    return 1 if params.get("format") in {"jpeg", "webp"} else 3
