"""What a worker is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flux2build.digest import Json


@dataclass(frozen=True, slots=True)
class Model:
    """A model as a worker loads it."""

    folder: str
    pipeline: str
    """The class of its pipeline."""
    dtype: str
    offload: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a worker is asked to render."""

    model: Model
    arguments: Mapping[str, Json]
    """What the pipeline is called with, apart from seed and references."""
    seed: int
    format: str
    references: Sequence[bytes]
    loras: Sequence[tuple[str, float]] = ()
    """The files of LoRA, with how much of each is added."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture from a worker."""

    picture: bytes
    software: str
    """What it was rendered by: libraries, device, precision and threads."""
