"""What the spec may ask for: models, operations, documents and checks.

The composition root hands it to the spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from flux2build.providers.capabilities import Card


@dataclass(frozen=True, slots=True)
class Form:
    """How an operation is written in the spec: its version and its parameters."""

    op: str
    version: int
    params: type[BaseModel]
    usual: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of every use that does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Paper:
    """How a document is written in the spec: its version, its options and its endings."""

    document: str
    version: int
    options: type[BaseModel]
    endings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models, by provider, all operations, all documents and all checks."""

    cards: Mapping[str, Mapping[str, Card]]
    default_models: Mapping[str, str]
    forms: Mapping[str, Form]
    checks: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    """The options of every check, by its name."""
    papers: Mapping[str, Paper] = field(default_factory=dict)
