"""Requests to workers, and their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from flux2build.digest import Json
from flux2build.model import AssetName, Order


class Wanted(Struct, frozen=True):
    """A picture to render, independent of the place of the weights."""

    asset: AssetName
    card: str
    """The name of the model."""
    order: Order
    seed: int


class Model(Struct, frozen=True):
    """A model as a worker loads it."""

    folder: str
    pipeline: str
    """The class of its pipeline."""
    dtype: str
    offload: str
    ordered_as: str = ""
    """Its name with the digest of its weights; a worker reads other weights anew."""


class Request(Struct, frozen=True):
    """A request to a worker."""

    model: Model
    arguments: Mapping[str, Json]
    """The pipeline's arguments, apart from seed and references."""
    seed: int
    format: str
    references: Sequence[bytes]
    loras: Sequence[tuple[str, float, str]] = ()
    """The files of LoRA, with their strengths and digests."""


class Rendered(Struct, frozen=True):
    """A picture from a worker."""

    picture: bytes
    software: str
    """The rendering software: libraries, device, precision and threads."""
