"""What a model can do: its parameters, its limits and its price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from flux2build.images.provenance.iptc import SourceType


@dataclass(frozen=True, slots=True)
class Price:
    """A model's list price in USD; megapixels are 2**20 pixels, rounded up.

    cost = first + further * (output megapixels - 1) + reference * input megapixels
    """

    first: Decimal
    further: Decimal = Decimal(0)
    reference: Decimal = Decimal(0)
    reference_sure: bool = True
    """False if sources disagree on whether references are billed: only the upper bound counts them."""
    dated: str = ""
    """ISO date on which the figures were read."""
    source: str = ""


FREE = Price(Decimal(0))


@dataclass(frozen=True, slots=True)
class Card:
    """What one model can do, its limits and its price."""

    model: str
    params: frozenset[str]
    """Parameters that are sent, by flux2build's names; they are part of the order's digest."""
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
    """Most megapixels of output and references together; None without such a cap."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Inclusive bounds of numeric parameters."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Allowed values of textual parameters, such as `resolution`."""
    defaults: Mapping[str, object] = field(default_factory=dict)
    """Parameters sent when the spec says nothing (`disable_pup = true`)."""
    price: Price | None = None
    """None if unknown: a model without a price cannot be ordered."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Prices by `resolution`, for a model that is priced by class and not by pixels."""
    source_type: str = SourceType.TRAINED
    """IPTC's term for how its pictures come about; deliverables are marked with it."""
    note: str = ""
    """One sentence for people who choose a model."""
