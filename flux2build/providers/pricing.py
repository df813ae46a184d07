"""The price of an order before it is placed: exact decimals, a lower and an upper bound."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from flux2build.digest import Json
from flux2build.providers.capabilities import Card, Price

MEGAPIXEL: Final = 2**20
"""Pixels in a billed megapixel: 1024 by 1024, not a million."""

Size = tuple[int, int]

_AREA: Final = r"(\d\.?\d*)(?: MP)?"
"""A class of resolution in megapixels; the picture may have fewer, depending on its shape."""

_NEAR: Final = 1.10
"""A cliff is mentioned if the size exceeds a whole megapixel by at most this factor."""


class Quote(Struct, frozen=True):
    """What an order will cost in USD: at least `low`, at worst `high`."""

    low: Decimal
    high: Decimal


class Cliff(Struct, frozen=True):
    """A slightly smaller size that is a megapixel cheaper."""

    width: int
    height: int
    saving: Decimal

    def __str__(self) -> str:
        return f"{self.width}×{self.height} costs ${self.saving.normalize():f} less"  # noqa: RUF001  # the sign people read in sizes


def money(amount: Decimal) -> str:
    """USD for people: cents, and tenths of a cent where they matter."""
    exact = amount.quantize(Decimal("0.001")) or amount.normalize()
    cents = exact.quantize(Decimal("0.01"))
    return f"${cents if cents == exact else exact:f}"


def price_range(low: Decimal, high: Decimal | None) -> str:
    """A price range: one figure when it is certain."""
    if high is None:
        return "unknown price"
    if high == 0:
        return "free"
    return money(low) if low == high else f"{money(low)} to {money(high)}"


def megapixels(width: int, height: int) -> int:
    """Billed megapixels of a picture: rounded up, at least one."""
    return max(1, math.ceil(width * height / MEGAPIXEL))


def price_of(card: Card, params: Mapping[str, Json]) -> Price | None:
    """The price that applies to these parameters; None if it is not known."""
    if card.prices:
        return card.prices.get(str(params.get("resolution")))
    return card.price


def quote(
    card: Card, params: Mapping[str, Json], references: Sequence[Size | None] = ()
) -> Quote | None:
    """The price of an order; None if the model has no price, so that it cannot be ordered.

    A reference whose size is not known yet counts as one megapixel at least, and at
    worst as the most that the model takes; so does the output, if the order leaves
    its size to the server.
    """
    price = price_of(card, params)
    if price is None:
        return None
    low_out, high_out = _output(card, params)
    low_in = sum(megapixels(*size) if size else 1 for size in references)
    return Quote(
        amount(price, low_out, low_in if price.reference_sure else 0),
        amount(price, high_out, _worst_in(card, low_out, references)),
    )


def amount(price: Price, output: int, references: int) -> Decimal:
    """The price in USD of some billed megapixels of output and references."""
    return price.first + price.further * (output - 1) + price.reference * references


def _output(card: Card, params: Mapping[str, Json]) -> tuple[int, int]:
    """Billed megapixels of the output, at least and at most; a class of resolution is one unit."""
    if size := size_of(params):
        return megapixels(*size), megapixels(*size)
    if card.prices:
        return 1, 1
    if named := re.fullmatch(_AREA, str(params.get("resolution"))):
        return 1, math.ceil(float(named[1]))
    return 1, megapixels(card.max_pixels, 1)


def _worst_in(card: Card, output: int, references: Sequence[Size | None]) -> int:
    """The most billed megapixels that the references can add up to."""
    most = megapixels(card.reference_pixels or card.max_pixels, 1)
    worst = sum(megapixels(*size) if size else most for size in references)
    if card.input_megapixels is None or None not in references:
        return worst
    least = sum(megapixels(*size) if size else 1 for size in references)
    return max(least, min(worst, card.input_megapixels - output + len(references)))


def size_of(params: Mapping[str, Json]) -> Size | None:
    """The width and height that an order asks for; None if it asks for a class of resolution."""
    width, height = params.get("width"), params.get("height")
    if isinstance(width, int) and isinstance(height, int):
        return width, height
    return None


def cliff(card: Card, params: Mapping[str, Json]) -> Cliff | None:
    """The nearest size that is a megapixel cheaper, if it is only a little smaller."""
    size, price = size_of(params), price_of(card, params)
    if size is None or price is None or not price.further:
        return None
    allowed = (megapixels(*size) - 1) * MEGAPIXEL
    if not 0 < allowed < size[0] * size[1] <= allowed * _NEAR:
        return None
    least, most = card.min_side, card.max_side
    smaller = _smaller(card, size, allowed)
    fitting = [other for other in smaller if least <= min(other) and max(other) <= most]
    if not fitting:
        return None
    best = max(fitting, key=lambda other: (other[0] * other[1], -abs(_skew(other, size))))
    return Cliff(*best, saving=price.further)


def _smaller(card: Card, size: Size, allowed: int) -> Iterator[Size]:
    """Sizes of at most `allowed` pixels: the width cut, the height cut, both in proportion."""
    width, height = size
    step = card.multiple
    shrink = math.sqrt(allowed / (width * height)) + 1e-9
    yield allowed // height // step * step, height
    yield width, allowed // width // step * step
    yield int(width * shrink) // step * step, int(height * shrink) // step * step


def _skew(one: Size, other: Size) -> float:
    return math.log(one[0] * other[1] / (one[1] * other[0]))
