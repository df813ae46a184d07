"""The files of a network, as its process loads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from flux2build.digest import Digest, Json


class NetworkFiles(Struct, frozen=True):
    """A network of this machine: where its weights lie, and how it is used."""

    name: str
    engine: Literal["ncnn", "onnx"]
    paths: tuple[str, ...]
    """Of ncnn the layers and their weights, of onnx one file."""
    digest: Digest
    """What derivations know its weights by."""
    settings: Mapping[str, Json] = {}
