"""What the spec may ask for: models, operations and checks.

The spec never imports a provider or an operation; the composition root hands
it this catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from flux2build.provenance import SourceType


@dataclass(frozen=True, slots=True)
class Price:
    """A model's list price in USD; megapixels are 2**20 pixels, rounded up.

    cost = first + further * (output megapixels - 1) + reference * input megapixels
    """

    first: Decimal
    further: Decimal = Decimal(0)
    reference: Decimal = Decimal(0)
    reference_sure: bool = True
    """False where sources disagree whether references are billed: only the upper bound counts them."""
    dated: str = ""
    """ISO date on which the figures were read."""
    source: str = ""


FREE = Price(Decimal(0))


@dataclass(frozen=True, slots=True)
class Card:
    """What one model can do, its limits and its price."""

    model: str
    params: frozenset[str]
    """Parameters that are sent, by flux2build's names; they enter the order's digest."""
    ignores: frozenset[str] = frozenset()
    """Parameters a spec may carry although this model is not sent them."""
    references: int = 0
    reference_side: int = 1
    """Fewest pixels of a reference's shorter side."""
    reference_pixels: int | None = None
    """Most pixels of one reference; a larger one is scaled down before it is sent."""
    formats: tuple[str, ...] = ("png",)
    multiple: int = 1
    """Width and height must be multiples of this many pixels."""
    min_side: int = 16
    max_side: int = 4096
    max_pixels: int = 4096 * 4096
    input_megapixels: int | None = None
    """Most megapixels of output and references together, where there is such a cap."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Inclusive bounds of numeric parameters."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Allowed values of textual parameters, such as `resolution`."""
    defaults: Mapping[str, object] = field(default_factory=dict)
    """Parameters sent when the spec says nothing (`disable_pup = true`)."""
    price: Price | None = None
    """None when unknown: an order without a price is refused."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Prices by `resolution`, for a model that is sold by class and not by pixels."""
    source_type: str = SourceType.TRAINED
    """IPTC's term for what it makes; deliverables are marked with it."""
    note: str = ""
    """One sentence for people who choose a model."""


class InputMark:
    """Marks the field of an operation whose value the spec replaces by the index of an input."""


@runtime_checkable
class Spreading(Protocol):
    """Parameters that may leave one out, to say: one file for each of its values."""

    @property
    def each(self) -> tuple[str, int] | None:
        """The parameter that was left out, and how many values it has, from 0; else None."""


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
