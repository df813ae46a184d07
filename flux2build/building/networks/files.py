"""The files of a network, as its process loads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from flux2build.digest import Digest, Json


class NetworkFiles(Struct, frozen=True):
    """A network of this machine: the place of its weights, and its use."""

    name: str
    engine: Literal["ncnn", "onnx"]
    paths: tuple[str, ...]
    """The files of a model: layers and weights for ncnn, one file for ONNX."""
    digest: Digest
    """The digest by which derivations identify its weights."""
    settings: Mapping[str, Json] = {}
