"""Where the files of an asset are derived: on this machine, or on others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from flux2build.building.cores import cores
from flux2build.building.room import Room
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.images.derive import File, Job, Ops, derive_many
from flux2build.images.formats.lookup import examine
from flux2build.images.ops.contract import Networks

_ROOM: Final = 1 << 30
"""Most bytes of decoded pictures at once, on all cores; a larger picture is decoded alone."""
_BYTES_PER_PIXEL: Final = 4


class UnfitError(SystemFault):
    """No other machine can derive the files."""


class Deriving(Protocol):
    """Derives files."""

    @property
    def lanes(self) -> int:
        """The number of assets whose files can be derived at once."""

    async def derive(self, jobs: Sequence[Job]) -> Sequence[File | Flux2BuildError]:
        """Each file of one asset, or the error that prevents it, in the order of the jobs.

        Raises:
            UnfitError: no machine there can derive them.
        """


class OnThisMachine:
    """Derives in threads, on all cores, within a limit of memory for pictures.

    Implements `Deriving`.
    """

    def __init__(
        self, ops: Ops, run: Callable[..., Iterable[Any]], networks: Networks, room: int = _ROOM
    ) -> None:
        self._ops, self._run, self._networks, self._room = ops, run, networks, Room(room)

    @property
    def lanes(self) -> int:
        """One for each core."""
        return cores()

    async def derive(self, jobs: Sequence[Job]) -> Sequence[File | Flux2BuildError]:
        """Derive in threads; a master is decoded once."""
        async with self._room.taken(_decoded(jobs)):
            return await asyncio.to_thread(derive_many, jobs, self._ops, self._run, self._networks)


def _decoded(jobs: Sequence[Job]) -> int:
    """The memory that the decoded masters of some jobs take."""
    files = dict.fromkeys(data for job in jobs for data in job.inputs)
    headers = map(examine, files)
    return _BYTES_PER_PIXEL * sum(header.width * header.height for header in headers)
