"""Derived files made by the workers of a Dask cluster; the only module that imports `distributed`.

Only bytes and operations travel: ledger, keys, certificate and everything that costs money stay
with the build. A worker that is lost loses nothing: its tasks run again on another one.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import dask.config
import distributed
from distributed.scheduler import KilledWorker

from flux2build.building import cluster_task
from flux2build.building.cluster_task import Absent, Answer
from flux2build.digest import Digest, of_bytes
from flux2build.errors import Flux2BuildError, IncompleteError, SystemFault
from flux2build.images.derive import File, Job
from flux2build.model import Derive

LOCAL: Final = re.compile(r"local:([1-9][0-9]?)")
"""A cluster of processes of this machine."""
Task = Callable[..., Answer | Absent]
"""What a worker does with the tasks of an asset, the indexes of their inputs, and these inputs."""

_CONNECT_SECONDS: Final = 10.0
_SMALL: Final = 1 << 20
"""Bytes that are sent with a task, even if workers could fetch them from the team's store."""
_LANES: Final = 2
"""Assets in work for each thread of a worker, so that none waits for the next bytes."""


@dataclass
class Cluster:
    """The workers of a Dask cluster.

    Implements `deriving.Deriving`.
    """

    client: Any
    where: str
    mixed: bool
    """Whether workers may have other versions than this machine."""
    lanes: int
    """Two for each thread of a worker at the start."""
    task: Task
    """What a worker does."""
    shared: Callable[[Digest], bool] = lambda _digest: False
    """Whether the team's store has some bytes, so that workers can fetch them."""

    async def derive(self, jobs: Sequence[Job]) -> Sequence[File | Flux2BuildError]:
        """Derive the files of one asset on one worker, which decodes their master once."""
        data = {of_bytes(each): each for job in jobs for each in job.inputs}
        places = {digest: at for at, digest in enumerate(data)}
        rows = [[places[of_bytes(each)] for each in job.inputs] for job in jobs]
        tasks = [job.task for job in jobs]
        parts = [await self._part(digest, each) for digest, each in data.items()]
        answer = await self._answer(tasks, rows, parts)
        if isinstance(answer, Absent):  # that worker has no access to the team's store
            answer = await self._answer(tasks, rows, list(data.values()))
        if isinstance(answer, Absent):  # pragma: no cover - all bytes were sent
            raise TypeError(answer)
        self.refuse_others({"a worker": answer.versions})
        return answer.files

    async def _part(self, digest: Digest, data: bytes) -> bytes | Digest:
        """The bytes of an input or, of many that the team's store has, their digest."""
        if len(data) <= _SMALL or not await asyncio.to_thread(self.shared, digest):
            return data
        return digest

    async def _answer(
        self,
        tasks: Sequence[Derive],
        rows: Sequence[Sequence[int]],
        parts: Sequence[bytes | Digest],
    ) -> Answer | Absent:
        """What a task returns.

        Raises:
            IncompleteError: every worker that tried it died.
            SystemFault: the cluster is gone.
        """
        # The bytes are part of the task, so that it can run again where a worker was lost.
        future = self.client.submit(self.task, tasks, rows, *parts, pure=False)
        try:
            answer: Answer | Absent = await future
        except KilledWorker as error:
            raise IncompleteError(
                "the workers of the cluster that derived it died",
                rows=(("cluster", self.where),),
                hint="their logs say why; a worker that has too little memory is killed",
            ) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                await self.client.cancel([future], force=True)
                raise
            raise self._gone() from None  # Dask's word for a scheduler that is lost
        except (OSError, TimeoutError) as error:
            raise self._gone() from error
        return answer

    def _gone(self) -> SystemFault:
        return SystemFault(
            f"the cluster at {self.where} does not answer any more",
            hint="build again, with the cluster or without it; what is done stays done",
        )

    def refuse_others(self, workers: Mapping[str, Mapping[str, str]]) -> None:
        """Refuse workers whose files may have other bytes than those made here.

        Raises:
            SystemFault: a worker has another version of what decides about bytes.
        """
        own = cluster_task.versions()
        if self.mixed:
            return
        for name, versions in workers.items():
            differing = [key for key in own if versions.get(key) != own[key]]
            if differing:
                rows = [(key, f"{versions.get(key, 'none')}, here {own[key]}") for key in differing]
                raise SystemFault(
                    f"{name} of the cluster would write other bytes than this machine",
                    rows=tuple(rows),
                    hint="install the same versions there; or `--cluster-mixed` takes its files, too",
                )


@asynccontextmanager
async def opened(
    where: str,
    *,
    mixed: bool,
    task: Task,
    shared: Callable[[Digest], bool],
    say: Callable[[str], None],
) -> AsyncIterator[Cluster]:
    """Connect to a cluster, or start one on this machine: `tcp://host:8786` or `local:2`.

    Raises:
        SystemFault: no scheduler answers, it has no workers, or they have other versions.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is an error here
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})
    async with _started(where) as address:
        try:
            # Dask waits without end for a port that takes the connection and never answers.
            async with asyncio.timeout(_CONNECT_SECONDS + 2):
                client = await distributed.Client(
                    address, asynchronous=True, timeout=_CONNECT_SECONDS, set_as_default=False
                )
        except (OSError, TimeoutError, ValueError) as error:
            raise SystemFault(
                f"no scheduler answers at {where}",
                hint="`dask scheduler` starts one, and `dask worker ADDRESS` its workers",
            ) from error
        try:
            if LOCAL.fullmatch(where):
                await client.register_plugin(cluster_task.DeafToInterrupts())
            threads = sum((await client.nthreads()).values())
            cluster = Cluster(client, where, mixed, _LANES * max(1, threads), task, shared)
            workers = await client.run(cluster_task.versions)
            if not workers:
                raise SystemFault(
                    f"the cluster at {where} has no workers",
                    hint="`dask worker ADDRESS` starts one",
                )
            cluster.refuse_others(workers)
            say(f"deriving on {len(workers)} worker{'s' * (len(workers) > 1)} of {where}")
            yield cluster
        finally:
            await client.close()


@asynccontextmanager
async def _started(where: str) -> AsyncIterator[Any]:
    """The address of a cluster; one of this machine lives as long as the build."""
    match = LOCAL.fullmatch(where)
    if match is None:
        yield where
        return
    async with distributed.LocalCluster(
        n_workers=int(match[1]),
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        asynchronous=True,
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster
