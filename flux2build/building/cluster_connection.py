"""Connects to a Dask cluster, or starts one on this machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import dask.config
import distributed

from flux2build.building import cluster_task
from flux2build.building.cluster import LOCAL, Cluster
from flux2build.building.cluster_task import Work
from flux2build.digest import Digest
from flux2build.errors import SystemFault

_CONNECT_SECONDS: Final = 10.0


@asynccontextmanager
async def opened(
    where: str,
    *,
    mixed: bool,
    work: Work,
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
            cluster = Cluster(client, where, mixed, work, say, shared)
            if cluster.local:
                await client.register_plugin(cluster_task.DeafToInterrupts())
            workers = await client.run(cluster_task.versions)
            if not workers:
                raise SystemFault(
                    f"the cluster at {where} has no workers",
                    hint="`dask worker ADDRESS` starts one",
                )
            cluster.refuse_others(workers)
            client.subscribe_topic(cluster_task.STEPS, cluster.hear)
            say(f"working on {len(workers)} worker{'s' * (len(workers) > 1)} of {where}")
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
