"""Amounts that are given on the command line, as exact decimals."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

import click


class _Amount(click.ParamType[Decimal]):
    """A decimal of at least 0."""

    def __init__(self, name: str, prefix: str, hint: str) -> None:
        self.name, self._prefix, self._hint = name, prefix, hint

    def convert(
        self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The exact amount; anything else is a usage error."""
        try:
            amount = Decimal(str(value).removeprefix(self._prefix))
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            self.fail(f"`{value}` is not {self._hint}", param, ctx)
        return amount


USD: Final = _Amount("usd", "$", "an amount in USD; write it like 2.50")
"""Money, with or without `$`."""
CREDITS: Final = _Amount("credits", "", "a number of credits; write it like 250")
"""A provider's unit of account."""
