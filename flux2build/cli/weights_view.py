"""The open weights and the devices of this machine, as people and programs read them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from flux2build.console.console import Console
from flux2build.digest import Json
from flux2build.errors import Exit, Flux2BuildError
from flux2build.extras import pip_install
from flux2build.purchasing.weights.failures import WorkerError
from flux2build.purchasing.weights.process import Worker
from flux2build.session.image_models import ImageModels
from flux2build.session.local_models import LocalModels

Facts = dict[str, Json]


def show(console: Console, models: LocalModels, *, as_json: bool) -> Exit:
    """Print the configuration; exit code 6 if a part of it cannot be used."""
    devices = asyncio.run(_devices(models))
    weights = [_weights(models, name) for name in models.table.models]
    networks = list(ImageModels(models).rows())
    if as_json:
        facts: Facts = {"devices": [*devices], "models": [*weights], "networks": [*networks]}
        console.document(facts)
    else:
        for device in devices:
            console.data(f"device {device['name']}: {_device(device)}")
        for one in weights:
            console.data(*_told(one))
        if not weights:
            console.say("no weights are configured; `flux2build models fetch NAME` fetches some")
        for network in networks:
            console.data(*_network(network))
    own = [each for each in networks if not each["packaged"]]
    unusable = any("problem" in each for each in (*devices, *weights, *own))
    return Exit.SYSTEM if unusable else Exit.DONE


async def _devices(models: LocalModels) -> list[Facts]:
    return [await _described(name) for name in models.table.devices]


async def _described(name: str) -> Facts:
    """A device, as a worker sees it."""
    worker = Worker(name)
    try:
        device, memory = await worker.describe()
    except WorkerError as error:
        hint = f"; `{pip_install('local')}`" if error.fault == "extra" else ""
        return {"name": name, "problem": f"{error}{hint}"}
    finally:
        await worker.close()
    return {"name": name, "device": device, "memory": memory}


def _weights(models: LocalModels, name: str) -> Facts:
    table = models.table.models[name]
    if table.path is None and table.digest:
        return {"model": name, "path": None, "digest": table.digest, "note": models[name].note}
    try:
        digest, folder = models.digest(name), models.folder(name)
    except Flux2BuildError as error:
        return {"model": name, "problem": str(error)}
    return {
        "model": name,
        "pipeline": folder.pipeline,
        "path": str(folder.path),
        "bytes": folder.bytes,
        "digest": digest,
        "note": models[name].note,
    }


def _device(facts: Facts) -> str:
    if "problem" in facts:
        return str(facts["problem"])
    return f"{facts['device']}, {gibibytes(facts['memory'])}"


def _told(facts: Facts) -> Iterator[str]:
    """The lines about a model."""
    if "problem" in facts:
        yield f"{facts['model']}: {facts['problem']}"
        return
    if facts["path"] is None:
        yield f"{facts['model']}: on the workers of a cluster; {facts['note']}"
        yield f"  {facts['digest']}"
        return
    yield f"{facts['model']}: {facts['pipeline']}, {gibibytes(facts['bytes'])}; {facts['note']}"
    yield f"  {facts['path']}"
    yield f"  {facts['digest']}"


def _network(facts: Facts) -> Iterator[str]:
    """The lines about a network that an operation uses."""
    name = f"{facts['model']}, for `{facts['op']}`"
    if "problem" in facts:
        yield f"{name}: {facts['problem']}"
        return
    licence = f"; licence: {facts['licence']}" if facts["licence"] else ""
    yield f"{name}: {gibibytes(facts['bytes'])}{licence}"
    yield f"  {facts['path']}"
    yield f"  {facts['digest']}"


def gibibytes(size: Json) -> str:
    """A size for people."""
    assert isinstance(size, int)
    return f"{size / 2**30:.2g} GiB" if size >= 2**30 else f"{size / 2**20:.2g} MiB"
