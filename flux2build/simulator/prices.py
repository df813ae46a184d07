"""The prices of the simulated servers, in credits of 0.01 USD."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final

MEGAPIXEL: Final = 2**20
CREDIT: Final = Decimal("0.01")


def megapixels(pixels: int) -> int:
    """Megapixels as they are billed: rounded up, and one at least."""
    return max(1, -(-pixels // MEGAPIXEL))


def credits_for(model: str, output: int, references: Iterable[int]) -> Decimal:
    """The price of a picture of `output` pixels made from references of so many pixels."""
    rates = _table()["models"][model]
    first, further, reference = (Decimal(rates[k]) for k in ("first", "further", "reference"))
    inputs = sum(megapixels(pixels) for pixels in references)
    return first + further * (megapixels(output) - 1) + reference * inputs


def credits_for_class(resolution: str) -> Decimal:
    """The price of a flux-3-image of a resolution class."""
    return Decimal(_table()["flux-3-image"][resolution])


@cache
def _table() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("prices.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
