"""Amounts and numbers on the command line: digits from 0 to 9 and one point.

Python itself reads more as a number: `1_0`, `1e9`, `nan`, and the digits of every script.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

import click

_DIGITS: Final = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")
_WHOLE: Final = re.compile(r"-?[0-9]+")


class _Amount(click.ParamType[Decimal]):
    """A decimal of at least 0."""

    def __init__(self, name: str, prefix: str, hint: str) -> None:
        self.name, self._prefix, self._hint = name, prefix, hint

    def convert(
        self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The exact amount; anything else is a usage error."""
        if isinstance(value, Decimal):
            return value
        digits = value.removeprefix(self._prefix)
        if not _DIGITS.fullmatch(digits):
            self.fail(f"`{value}` is not {self._hint}", param, ctx)
        return Decimal(digits)


class Whole(click.IntRange):
    """A whole number within bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; anything else is a usage error."""
        if isinstance(value, str) and not _WHOLE.fullmatch(value):
            self.fail(f"`{value}` is not a whole number", param, ctx)
        return super().convert(value, param, ctx)


class Seconds(click.FloatRange):
    """A time in seconds, within bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The seconds; anything else is a usage error."""
        if isinstance(value, str) and not _DIGITS.fullmatch(value.removeprefix("-")):
            self.fail(f"`{value}` is not a number", param, ctx)
        return super().convert(value, param, ctx)


USD: Final = _Amount("usd", "$", "an amount in USD; write it like 2.50")
"""Money, with or without `$`."""
CREDITS: Final = _Amount("credits", "", "a number of credits; write it like 250")
"""A provider's unit of account."""
