"""What a model can do: its parameters, its limits and its price."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Annotated

from flux2build.images.provenance.iptc import SourceType
from flux2build.tables.marks import After, Before, Expected
from flux2build.tables.table import Field, Table


def _exact(value: object) -> object:
    """A whole number of TOML as a decimal, like the other amounts."""
    return Decimal(value) if type(value) is int else value


def _inexact(value: object) -> object:
    """A decimal of TOML as a float, like the other parameters."""
    if not isinstance(value, Decimal):
        return value
    if not math.isfinite(number := float(value)):
        raise ValueError("expected a finite number")
    return number


def _ascending(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError
    return bounds


def _several(kind: type) -> Before:
    """Reads a list of TOML as another kind of collection."""

    def read(value: object) -> object:
        with suppress(TypeError):  # a list in a list cannot be in a set
            return kind(value) if isinstance(value, list | tuple) else value
        return value

    return Before(read)


# Values as they are read from TOML, where a float is a Decimal.
Amount = Annotated[Decimal, Before(_exact), Field(ge=0), Expected("an amount in USD")]
Count = Annotated[int, Field(ge=0), Expected("a whole number, 0 or more")]
Flag = Annotated[bool, Expected("true or false")]
Text = Annotated[str, Before(str)]
Bound = Annotated[float, Before(_inexact)]
Range = Annotated[
    tuple[Bound, Bound], _several(tuple), After(_ascending), Expected("[least, most]")
]
Names = Annotated[tuple[str, ...], _several(tuple)]
NameSet = Annotated[frozenset[str], _several(frozenset)]


class Price(Table):
    """A model's list price in USD; megapixels are 2**20 pixels, rounded up.

    cost = first + further * (output megapixels - 1) + reference * input megapixels
    """

    first: Amount
    further: Amount = Decimal(0)
    reference: Amount = Decimal(0)
    reference_sure: Flag = True
    """False if sources disagree on whether references are billed: only the upper bound counts them."""
    dated: Text = ""
    """ISO date on which the figures were read."""
    source: Text = ""


FREE = Price(first=Decimal(0))


class Card(Table):
    """What one model can do, its limits and its price."""

    model: str
    params: NameSet
    """Parameters that are sent, by flux2build's names; they are part of the order's digest."""
    ignores: NameSet = frozenset()
    """Parameters that a spec may have, and that are not sent to this model."""
    shapes: Flag = False
    """Whether `aspect_ratio` and `resolution` are sent as the resulting `width` and `height`."""
    grounds: Flag = False
    """Whether a picture is drawn on the colour that `key` makes transparent: its `ground`."""
    references: Count = 0
    reference_side: Count = 1
    """Fewest pixels of a reference's shorter side."""
    reference_pixels: Count | None = None
    """Most pixels of one reference; a larger one is scaled down before it is sent."""
    formats: Names = ("png",)
    multiple: Count = 1
    """Width and height must be multiples of this many pixels."""
    min_side: Count = 16
    max_side: Count = 4096
    max_pixels: Count = 4096 * 4096
    input_megapixels: Annotated[Count | None, After(lambda most: most or None)] = None
    """Most megapixels of output and references together; None without such a cap."""
    ranges: Mapping[str, Range] = {}
    """Inclusive bounds of numeric parameters."""
    choices: Mapping[str, Names] = {}
    """Allowed values of textual parameters, such as `resolution`."""
    defaults: Mapping[str, Annotated[object, Before(_inexact)]] = {}
    """Parameters sent when the spec says nothing (`disable_pup = true`)."""
    price: Price | None = None
    """None if unknown: a model without a price cannot be ordered."""
    prices: Mapping[str, Price] = {}
    """Prices by `resolution`, for a model that is priced by class and not by pixels."""
    source_type: str = SourceType.TRAINED
    """IPTC's term for the origin of its pictures; deliverables are marked with it."""
    note: Text = ""
    """One sentence for people who choose a model."""
