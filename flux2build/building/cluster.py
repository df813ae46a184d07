"""Work that the workers of a Dask cluster do.

Only bytes and tasks travel: ledger, keys, certificate and everything that costs money stay with the
build. If a worker is lost, its tasks run again on another one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any, Final

from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from flux2build.building import cluster_task
from flux2build.building.cluster_task import Absent, Answer, Part, Unfit, Work
from flux2build.building.deriving import UnfitError
from flux2build.building.report import GoneError
from flux2build.digest import Digest, of_bytes
from flux2build.errors import Flux2BuildError, IncompleteError, SystemFault

LOCAL: Final = re.compile(r"local:([1-9][0-9]?)")
"""A cluster of processes of this machine."""

_STOP_SECONDS: Final = 5.0
_SMALL: Final = 1 << 20
"""Bytes that are sent with a task, even if workers could fetch them from the team's store."""
_LANES: Final = 2
"""Tasks in flight for each place where one can run, so that no place waits for bytes."""
_FIELDS: Final = ("ticket", "step", "steps")


@dataclass
class Cluster:
    """The workers of a Dask cluster."""

    client: Any
    where: str
    mixed: bool
    """Whether workers may have other versions than this machine."""
    work: Work
    """The functions that workers run."""
    say: Callable[[str], None] = lambda _text: None
    shared: Callable[[Digest], bool] = lambda _digest: False
    """Whether the team's store has some bytes, so that workers can fetch them."""
    patience: float = 30.0
    """Seconds to wait for a worker that can do a task, when the last one is lost."""
    look: float = 2.0
    """Seconds between two looks at the workers."""
    on_steps: dict[str, Callable[[int, int], None]] = field(default_factory=dict, init=False)
    """The callbacks for the steps of pictures, by their tickets."""
    _unfit: dict[str, dict[str, Flux2BuildError]] = field(default_factory=dict, init=False)
    """The workers that lack something for a kind of task, with their errors."""
    _lost: bool = field(default=False, init=False)
    """Whether the scheduler has gone."""
    _alone: dict[str, float] = field(default_factory=dict, init=False)
    """The time since which no worker has offered a resource."""
    _last_look: tuple[float, asyncio.Future[Any]] | None = field(default=None, init=False)
    """The time of the last question about the workers, and the scheduler's answer."""

    @property
    def local(self) -> bool:
        """Whether its workers are processes of this machine."""
        return LOCAL.fullmatch(self.where) is not None

    async def places(self, resource: str = "") -> Mapping[str, float]:
        """The number of tasks that each worker can do at once, each with a unit of a resource.

        Raises:
            SystemFault: the cluster is gone.
        """
        now = asyncio.get_running_loop().time()
        if self._last_look is None or now - self._last_look[0] >= self.look:
            self._last_look = now, asyncio.ensure_future(self.client.scheduler.identity())
        try:
            workers = (await asyncio.shield(self._last_look[1]))["workers"]
        except OSError as error:
            raise self._gone() from error
        at_once = {
            address: facts["resources"].get(resource, 0) if resource else facts["nthreads"]
            for address, facts in workers.items()
        }
        return {address: places for address, places in at_once.items() if places >= 1}

    async def lanes(self, resource: str = "") -> int:
        """The number of tasks that are handed out at once."""
        return _LANES * max(1, int(sum((await self.places(resource)).values())))

    async def answer(
        self,
        task: Callable[..., Any],
        request: object,
        data: Sequence[bytes],
        *,
        needs: str = "",
        resource: str = "",
    ) -> Answer:
        """A worker's answer to a task with some bytes.

        Args:
            task: The function to run.
            request: The description of the result.
            data: The bytes.
            needs: The needs of the task, in words; workers that lack them are not asked again.
            resource: The resource of which the worker must have a unit, if any.

        Raises:
            IncompleteError: every worker that tried it died.
            SystemFault: no worker can do it, or the cluster is gone.
        """
        unfit, lost = self._unfit.setdefault(needs, {}), False
        parts = [await self._part(each) for each in data]
        while True:
            fit = await self._fit(unfit, resource, wait=lost) if unfit else []
            if unfit and not fit:
                raise _nobody(self.where, needs, unfit)
            answer = await self._answer(task, request, parts, resource, fit)
            if answer is None:
                lost = True
                continue
            self.refuse_others({answer.worker: answer.versions})
            if isinstance(answer.value, Absent):  # it has no access to the team's store
                parts = list(data)
            elif isinstance(answer.value, Unfit):
                unfit[answer.worker] = answer.value.error
            else:
                return answer

    async def _fit(self, unfit: Collection[str], resource: str, *, wait: bool) -> list[str]:
        """The workers that may have what others lack; a lost worker may return."""
        until = asyncio.get_running_loop().time() + self.patience * wait
        while True:
            fit = [each for each in await self.places(resource) if each not in unfit]
            if fit or asyncio.get_running_loop().time() >= until:
                return fit
            await asyncio.sleep(self.look)

    async def _part(self, data: bytes) -> Part:
        """Some bytes, or their digest if they are many and the team's store has them."""
        if len(data) <= _SMALL:
            return data
        digest = await asyncio.to_thread(of_bytes, data)
        return digest if await asyncio.to_thread(self.shared, digest) else data

    async def _answer(
        self,
        task: Callable[..., Any],
        request: object,
        parts: Iterable[Part],
        resource: str,
        fit: Collection[str],
    ) -> Answer | None:
        """The result of a task; None if the workers that are fit for it were lost."""
        if self._lost:
            raise self._gone()
        if resource in self._alone and await self._deserted(resource):
            raise self._nobody_left(resource)
        # The bytes are part of the task, so that it can run again if a worker is lost.
        only: dict[str, Any] = {"resources": {resource: 1}} if resource else {}
        future = self.client.submit(
            task, request, *parts, pure=False, workers=list(fit) or None, **only
        )
        try:
            answer = await self._awaited(future, resource, fit)
        except KilledWorker as error:
            raise IncompleteError(
                "the workers of the cluster that made it died",
                rows=(("cluster", self.where),),
                hint="their logs say why; a worker that has too little memory is killed",
            ) from error
        except ModuleNotFoundError as missing:
            raise SystemFault(
                f"a worker of {self.where} has no `{missing.name}`",
                hint="install flux2build there, with the same extras as here",
            ) from missing
        except asyncio.CancelledError:
            await self.client.cancel([future], force=True)
            raise
        except (
            CommClosedError,
            CancelledError,
        ) as error:  # the task raised any other error
            raise self._gone() from error
        return answer

    async def _awaited(self, future: Any, resource: str, fit: Collection[str]) -> Answer | None:
        """The result of a task; Dask itself would wait forever for a worker that can run it."""
        waiting = asyncio.ensure_future(future)
        try:
            while not (await asyncio.wait({waiting}, timeout=self.look))[0]:
                lost = fit and not (await self.places(resource)).keys() & set(fit)
                if lost or await self._deserted(resource):
                    await self.client.cancel([future], force=True)
                    if lost:
                        return None
                    raise self._nobody_left(resource)
            answer: Answer = waiting.result()
        finally:
            waiting.cancel()
        return answer

    async def _deserted(self, resource: str) -> bool:
        """Whether no worker has been there for too long."""
        now = asyncio.get_running_loop().time()
        if await self.places(resource):
            self._alone.pop(resource, None)
            return False
        return now - self._alone.setdefault(resource, now) > self.patience

    def _gone(self) -> GoneError:
        self._lost = True
        return GoneError(
            f"the cluster at {self.where} does not answer any more",
            hint="build again, with the cluster or without it; what is done stays done",
        )

    def _nobody_left(self, resource: str) -> GoneError:
        offers = f" that offers `{resource}`" if resource else ""
        return GoneError(
            f"no worker{offers} is left at {self.where}",
            hint=f"start one: `{_start(resource)}`; what is done stays done",
        )

    async def require(self, resource: str) -> None:
        """Refuse a cluster that can never run tasks that need a resource.

        Raises:
            SystemFault: no worker offers it.
        """
        if not await self.places(resource):
            raise SystemFault(
                f"no worker of {self.where} offers `{resource}`, which rendering with open weights takes",
                hint=f"start one: `{_start(resource)}`; or build without `--cluster`; "
                "`resource` in `[local]` of your configuration names another",
            )

    async def stop(self, ticket: str) -> None:
        """End the rendering under a ticket, if a worker renders it."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.client.run(self.work.stop, ticket, on_error="ignore")
        except (OSError, TimeoutError):
            return  # a worker that is gone has stopped, too

    def refuse_others(self, workers: Mapping[str, Mapping[str, str]]) -> None:
        """Refuse workers whose files may have other bytes than those made here.

        Raises:
            SystemFault: a worker has another version of a library that affects bytes.
        """
        own, libraries = cluster_task.versions(), cluster_task.LIBRARIES
        if self.mixed:
            return
        used = [key for key in own if libraries.get(key) in {None, *self.work.extras}]
        for name, versions in workers.items():
            differing = [key for key in used if versions.get(key) != own[key]]
            if differing:
                rows = [(key, f"{versions.get(key, 'none')}, here {own[key]}") for key in differing]
                raise SystemFault(
                    f"{name} of the cluster would write other bytes than this machine",
                    rows=tuple(rows),
                    hint="install the same versions there; or `--cluster-mixed` takes its files, too",
                )

    def hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Pass on a step that a worker has reported."""
        ticket, step, steps = (event[1].get(name) for name in _FIELDS)
        if callback := self.on_steps.get(str(ticket)):
            callback(int(step or 0), int(steps or 0))


def _start(resource: str) -> str:
    """The command that starts a worker."""
    return "dask worker ADDRESS" + f" --resources {resource}=1" * bool(resource)


def _nobody(where: str, needs: str, unfit: Mapping[str, Flux2BuildError]) -> UnfitError:
    """The error about a task that no worker can do, with the error of each worker."""
    rows: Sequence[tuple[str, str]] = [(worker, str(error)) for worker, error in unfit.items()]
    hint = next((problem.hint for each in unfit.values() for problem in each.problems), None)
    return UnfitError(f"no worker of {where} can use {needs}", rows=tuple(rows), hint=hint)
