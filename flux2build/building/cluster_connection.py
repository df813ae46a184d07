"""Connects to a Dask cluster, or starts one on this machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import dask.config
import distributed

from flux2build import __version__
from flux2build.building import cluster_task
from flux2build.building.cluster import LOCAL, Cluster
from flux2build.building.cluster_task import Work
from flux2build.digest import Digest
from flux2build.errors import SystemFault, one_line

_CONNECT_SECONDS: Final = 10.0
_LOCAL_SECONDS: Final = 300.0
"""The same on this machine, where a slow worker is busy, and a dead one is noticed at once."""
_HERE: Final = {
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "1s",
    "distributed.comm.timeouts.connect": _LOCAL_SECONDS,
    "distributed.comm.timeouts.tcp": _LOCAL_SECONDS,
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.worker.profile.enabled": False,
}
"""What Dask is told on this machine: to look at itself less often, which takes 6 % of a core otherwise,
and to wait, as it would replace the workers of a machine that stands still for half a minute."""


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
    for name in ("distributed", "distributed.client"):  # the errors that matter are raised here
        logging.getLogger(name).setLevel(logging.CRITICAL)
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})
    async with _started(where) as address:
        client = await _connected(address, where)
        try:
            cluster = Cluster(client, where, mixed, work, say, shared)
            if cluster.local:
                await client.register_plugin(cluster_task.DeafToInterrupts())
            await _require_scheduler(cluster)
            workers = await _workers(cluster)
            cluster.refuse_others(workers)
            client.subscribe_topic(cluster_task.STEPS, cluster.hear)
            say(f"working on {len(workers)} worker{'s' * (len(workers) > 1)} of {where}")
            yield cluster
        finally:
            await client.close()


async def _connected(address: Any, where: str) -> Any:
    """A client of a scheduler.

    Raises:
        SystemFault: none answers.
    """
    seconds = _LOCAL_SECONDS if LOCAL.fullmatch(where) else _CONNECT_SECONDS
    try:
        # Dask waits without end for a port that takes the connection and never answers.
        async with asyncio.timeout(seconds + 2):
            return await distributed.Client(
                address, asynchronous=True, timeout=seconds, set_as_default=False
            )
    except (TypeError, FileNotFoundError) as error:  # TLS raises it for missing configuration
        raise SystemFault(
            f"{where} takes certificates, which Dask's own configuration names",
            rows=(("library", one_line(str(error), 200)),),
            hint="set `distributed.comm.tls.ca-file`, `distributed.comm.tls.client.cert` and "
            "`distributed.comm.tls.client.key`: https://distributed.dask.org/en/stable/tls.html",
        ) from error
    except (OSError, TimeoutError, ValueError) as error:
        reason = one_line(_first_cause(error), 200)
        raise SystemFault(
            f"no scheduler answers at {where}",
            rows=(("reason", reason),) if reason else (),
            hint="`dask scheduler` starts one, and `dask worker ADDRESS` its workers",
        ) from error


def _first_cause(error: BaseException) -> str:
    """The root cause of an error; Dask wraps the informative one in several others."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)


async def _require_scheduler(cluster: Cluster) -> None:
    """Refuse a scheduler that cannot read the work that it passes on.

    Raises:
        SystemFault: it has no flux2build, or another version.
    """
    try:
        versions = await cluster.client.run_on_scheduler(cluster_task.versions)
    except Exception as error:  # Dask raises any error for a problem there
        raise _lacking("the scheduler", error) from error
    if versions["flux2build"] != __version__:
        raise SystemFault(
            f"the scheduler at {cluster.where} has flux2build {versions['flux2build']}, here {__version__}",
            hint="install the same version there",
        )


async def _workers(cluster: Cluster) -> Mapping[str, Mapping[str, str]]:
    """The workers, and their versions of the libraries that affect bytes.

    Raises:
        SystemFault: there are none, or one cannot do the work.
    """
    answers = await cluster.client.run(cluster_task.versions, on_error="return")
    workers = {name: each for name, each in answers.items() if not isinstance(each, OSError)}
    for name, answer in workers.items():
        if isinstance(answer, Exception):
            raise _lacking(name, answer)
    if not workers:
        raise SystemFault(
            f"the cluster at {cluster.where} has no workers",
            hint="`dask worker ADDRESS` starts one",
        )
    return workers


def _lacking(name: str, error: Exception) -> SystemFault:
    """The error about a process that lacks a requirement of the work."""
    return SystemFault(
        f"{name} of the cluster cannot do this work",
        rows=(("there", one_line(str(error), 200)),),
        hint="install flux2build with the extra `cluster` there, and start it again",
    )


@asynccontextmanager
async def _started(where: str) -> AsyncIterator[Any]:
    """The address of a cluster; one of this machine lives as long as the build."""
    match = LOCAL.fullmatch(where)
    if match is None:
        yield where
        return
    dask.config.set(_HERE)
    async with distributed.LocalCluster(
        n_workers=int(match[1]),
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        asynchronous=True,
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster
