"""Derives, draws and renders with the workers of a cluster."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from flux2build.building.cluster import Cluster
from flux2build.building.cluster_task import Files, Picture, Sketch
from flux2build.digest import of_bytes
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.images.derive import File, Job
from flux2build.images.ops import OPS
from flux2build.images.ops.contract import NetworkOp, Weights
from flux2build.model import Order
from flux2build.providers.contract import Embedded, Reference
from flux2build.purchasing.renderer import LoadReferences
from flux2build.purchasing.weights.rendering import OnStep
from flux2build.purchasing.weights.request import Rendered, Wanted


class Derivation(Struct, frozen=True):
    """Derives files.

    Implements `deriving.Deriving`.
    """

    cluster: Cluster
    lanes: int

    async def derive(self, jobs: Sequence[Job]) -> Sequence[File | Flux2BuildError]:
        """Derive the files of one asset on one worker, which decodes their master once."""
        data = {of_bytes(each): each for job in jobs for each in job.inputs}
        places = {digest: at for at, digest in enumerate(data)}
        rows = tuple(tuple(places[of_bytes(each)] for each in job.inputs) for job in jobs)
        files = Files(tuple(job.task for job in jobs), rows)
        networks = ", ".join(sorted(set(_networks(jobs))))
        answer = await self.cluster.answer(
            self.cluster.work.derive, files, list(data.values()), needs=networks
        )
        results: Sequence[File | Flux2BuildError] = answer.value
        return results


def _networks(jobs: Iterable[Job]) -> Iterator[str]:
    """The networks that some jobs need."""
    for step in (step for job in jobs for step in job.task.ops):
        if (op := OPS.get(step.op)) is not None and issubclass(op, NetworkOp):
            yield f"the model `{Weights.model_validate(step.params['model']).name}`"


class Renderings(Struct, frozen=True):
    """Renders with the open weights that workers have.

    Implements `rendering.Rendering`.
    """

    cluster: Cluster
    resource: str
    """The resource that a worker must offer; empty if none is needed."""
    slots: asyncio.Semaphore

    async def render(self, wanted: Wanted, references: LoadReferences, on_step: OnStep) -> Rendered:
        """Render a picture on a worker that has the weights that the order names."""
        cluster, ticket = self.cluster, uuid.uuid4().hex
        async with self.slots:
            pictures = await references()
            picture = Picture(ticket, wanted, tuple(each.name for each in pictures))
            cluster.on_steps[ticket] = on_step
            try:
                answer = await cluster.answer(
                    cluster.work.render,
                    picture,
                    [each.data for each in pictures],
                    needs=_weights(wanted),
                    resource=self.resource,
                )
            except asyncio.CancelledError:
                await cluster.stop(ticket)
                raise
            finally:
                del cluster.on_steps[ticket]
        if isinstance(answer.value, Flux2BuildError):
            raise _at(answer.worker, answer.value)
        rendered: Rendered = answer.value
        return rendered


def _weights(wanted: Wanted) -> str:
    """The weights that a picture needs.

    Raises:
        SystemFault: their digests are unknown, so workers cannot say whether they have them.
    """
    order, name = wanted.order, wanted.card
    if "@" not in order.model:
        raise SystemFault(
            f"the digest of the weights of `{name}` is not known on this machine",
            hint=f'add `[local.models.{name}]` with `digest = "sha256:…"` to your configuration; '
            "`flux2build models --local` tells it where they are",
        )
    loras: Any = order.params.get("loras", ())
    for lora in (lora for lora in loras if not lora["sha256"]):
        message = f"the LoRA `{lora['file']}` is not on this machine, so its digest is not known"
        raise SystemFault(message, hint=f"copy its file here, for `[local.loras.{lora['file']}]`")
    return ", ".join([f"the weights of `{name}`", *(f"the LoRA `{it['file']}`" for it in loras)])


def _at(worker: str, error: Flux2BuildError) -> Flux2BuildError:
    """An error, with the worker that it happened on."""
    problems = (replace(each, rows=(("worker", worker), *each.rows)) for each in error.problems)
    return type(error)(*problems)


class OnCluster(Struct, frozen=True):
    """The work that a cluster does instead of this machine."""

    cluster: Cluster

    @property
    def far(self) -> bool:
        """Whether its workers have devices of their own."""
        return not self.cluster.local

    async def slots(self, resource: str = "") -> int:
        """The number of tasks that can be in flight at once."""
        return await self.cluster.lanes(resource)

    async def deriving(self) -> Derivation:
        """The object that derives files."""
        return Derivation(self.cluster, await self.slots())

    async def rendering(self, resource: str) -> Renderings:
        """The object that renders with open weights.

        Raises:
            SystemFault: no worker offers the resource.
        """
        await self.cluster.require(resource)
        return Renderings(self.cluster, resource, asyncio.Semaphore(await self.slots(resource)))

    async def draw(
        self, provider: Embedded, order: Order, references: Sequence[Reference]
    ) -> bytes:
        """Have an embedded provider draw, as `local_renderer.Drawing` says."""
        sketch = Sketch(provider.name, order, tuple(each.name for each in references))
        data = [each.data for each in references]
        picture: bytes = (await self.cluster.answer(self.cluster.work.draw, sketch, data)).value
        return picture
