"""The work of a cluster's workers: they read bytes from their team's store and make files.

This runs on other machines with their own settings: no URL, key or token is sent to them. They use
their own weights of models, if these have the requested digests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from flux2build.building import cluster_task
from flux2build.building.cluster_task import (
    Absent,
    Answer,
    Files,
    Part,
    Picture,
    Sketch,
    Unfit,
    Work,
)
from flux2build.building.networks.process import NetworkProcess
from flux2build.digest import Digest, short
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.images.formats.lookup import media_type, sniff
from flux2build.images.ops import OPS
from flux2build.images.ops.contract import NetworkOp, Weights
from flux2build.model import Derive, Order, Recipe
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Embedded, Reference
from flux2build.providers.local import PROVIDER
from flux2build.purchasing.weights.devices import Devices, Workers
from flux2build.purchasing.weights.process import COMMAND, Worker
from flux2build.purchasing.weights.request import Rendered
from flux2build.session.image_models import ImageModels
from flux2build.session.local_models import LocalModels
from flux2build.session.settings import read
from flux2build.session.team import team_store
from flux2build.sharing.team_store import TeamStore

_RENDERING: Final[dict[str, asyncio.Task[Rendered]]] = {}
"""The current renderings, by ticket."""


def derive(files: Files, *parts: Part) -> Answer:
    """Derive the files of one asset."""
    data = _data(parts)
    if isinstance(data, Absent):
        return cluster_task.answered(data)
    try:
        _require_networks(files)
    except Flux2BuildError as error:
        return cluster_task.answered(Unfit(error))
    return cluster_task.answered(cluster_task.derived(files, data, _networks().draw))


def draw(sketch: Sketch, *parts: Part) -> Answer:
    """Have an embedded provider draw a picture."""
    data, provider = _data(parts), PROVIDERS[sketch.provider]
    if isinstance(data, Absent):
        return cluster_task.answered(data)
    if not isinstance(provider, Embedded):
        raise TypeError(sketch.provider)
    return cluster_task.answered(provider.draw(sketch.order, _references(sketch.references, data)))


async def render(picture: Picture, *parts: Part, command: Sequence[str] = COMMAND) -> Answer:
    """Render a picture with the open weights of this machine; `command` starts the renderer."""
    data = await asyncio.to_thread(_data, parts)
    if isinstance(data, Absent):
        return cluster_task.answered(data)
    try:
        devices = await asyncio.to_thread(_devices, picture, tuple(command))
    except Flux2BuildError as error:
        return cluster_task.answered(Unfit(error))
    return cluster_task.answered(await _rendered(devices, picture, data))


async def _rendered(devices: Devices, picture: Picture, data: Sequence[bytes]) -> object:
    """The picture, or the error."""
    ticket, references = picture.ticket, _references(picture.references, data)

    async def loaded() -> Sequence[Reference]:
        return references

    def on_step(step: int, steps: int) -> None:
        cluster_task.tell_step(ticket, step, steps)

    rendering = asyncio.ensure_future(devices.render(picture.wanted, loaded, on_step))
    _RENDERING[ticket] = rendering
    try:
        return await rendering
    except SystemFault as fault:  # this machine lacks something that another may have
        return Unfit(fault)
    except Flux2BuildError as failure:
        return failure
    finally:
        del _RENDERING[ticket]


def stop(ticket: str) -> None:
    """Stop rendering under a ticket, because it is no longer wanted."""
    if rendering := _RENDERING.get(ticket):
        rendering.cancel()


WORK: Final = Work(derive, draw, render, stop)


def work(recipes: Iterable[Recipe]) -> Work:
    """The functions by which workers make some files."""
    tasks = (recipe.task for recipe in recipes)
    names = {step.op for task in tasks if isinstance(task, Derive) for step in task.ops}
    return replace(WORK, extras=frozenset(OPS[name].extra for name in names))


def _references(names: Sequence[str], data: Sequence[bytes]) -> list[Reference]:
    return [
        Reference(name, each, media_type(sniff(each)))
        for name, each in zip(names, data, strict=True)
    ]


def _data(parts: Sequence[Part]) -> list[bytes] | Absent:
    """All bytes, or the ones that this machine cannot read."""
    data: list[bytes] = []
    for part in parts:
        fetched = part if isinstance(part, bytes) else _fetched(part)
        if fetched is None:
            return Absent(str(part))
        data.append(fetched)
    return data


def _fetched(digest: Digest) -> bytes | None:
    """Bytes of the team's store; None if this machine cannot read them."""
    try:
        store = _store()
        return store.get(digest) if store else None
    except Flux2BuildError:
        return None


@cache
def _store() -> TeamStore | None:
    return team_store(read(None), Path.cwd())


def _models() -> LocalModels:
    """The models in the current configuration of this machine."""
    settings = read(None)
    return LocalModels(settings.local, settings.written)


@cache
def _networks() -> NetworkProcess:
    """The process in which networks run; it ends with this one."""
    return NetworkProcess(lambda op: ImageModels(_models()).opened(op), lambda: False)


def _require_networks(files: Files) -> None:
    """Refuse operations whose networks are missing here, or have other weights.

    Raises:
        SystemFault: a network is missing or has other weights.
    """
    for step in (step for task in files.tasks for step in task.ops):
        op = OPS.get(step.op)
        if op is not None and issubclass(op, NetworkOp):
            weights = Weights.model_validate(step.params["model"])
            files_here = ImageModels(_models()).opened(op.model_validate(dict(step.params)))
            _require(f"`{weights.name}`", files_here.digest, weights.sha256)


def _devices(picture: Picture, command: tuple[str, ...]) -> Devices:
    """The devices of this machine, if it has the exact weights of an order.

    Raises:
        Flux2BuildError: the weights are missing, or differ.
    """
    models, wanted = _models(), picture.wanted
    models.model(wanted.card)
    _require(f"`{wanted.card}`", models.digest(wanted.card), _digest(wanted.order))
    loras: Any = wanted.order.params.get("loras", ())
    for lora in loras:
        models.lora_path(lora["file"])
        _require(f"the LoRA `{lora['file']}`", models.lora(lora["file"]), lora["sha256"])
    workers = _workers(tuple(models.table.devices), command)
    return Devices(
        PROVIDER, workers, models.model, models.lora_path, models, "the worker's configuration"
    )


def _digest(order: Order) -> str:
    return order.model.partition("@")[2]


def _require(what: str, here: str, wanted: str) -> None:
    if here != wanted:
        raise SystemFault(
            f"{what} has the digest {short(here)}…, and {short(wanted)}… was asked for",
            hint="`flux2build models --local` on a worker tells which weights it has",
        )


@cache
def _workers(devices: tuple[str, ...], command: tuple[str, ...]) -> Workers:
    """The processes of the devices; they end with this one."""
    return Workers([Worker(device, command) for device in devices])
