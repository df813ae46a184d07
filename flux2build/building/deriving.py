"""Where the files of an asset are derived: on this machine, or on others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from flux2build.building.cores import cores
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.images.derive import File, Job, Ops, derive_many
from flux2build.images.ops.contract import Networks


class UnfitError(SystemFault):
    """No other machine has what it takes."""


class Deriving(Protocol):
    """Derives files."""

    @property
    def lanes(self) -> int:
        """How many assets' files can be derived at once."""

    async def derive(self, jobs: Sequence[Job]) -> Sequence[File | Flux2BuildError]:
        """Each file of one asset, or the error that prevents it, in the order of the jobs.

        Raises:
            UnfitError: no machine there has what it takes.
        """


class OnThisMachine:
    """Derives in threads, on all cores.

    Implements `Deriving`.
    """

    def __init__(self, ops: Ops, run: Callable[..., Iterable[Any]], networks: Networks) -> None:
        self._ops, self._run, self._networks = ops, run, networks

    @property
    def lanes(self) -> int:
        """One for each core."""
        return cores()

    async def derive(self, jobs: Sequence[Job]) -> Sequence[File | Flux2BuildError]:
        """Derive in threads; a master is decoded once."""
        return await asyncio.to_thread(derive_many, jobs, self._ops, self._run, self._networks)
