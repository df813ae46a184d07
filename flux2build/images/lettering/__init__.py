"""Exact lettering: words, fonts and a box in; glyphs in their places, and their ink, out.

Its modules need HarfBuzz and ICU, which the extra `lettering` installs.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Final, Literal

EXTRA: Final = "lettering"

Wrap = Literal["balance", "fill", "none"]
"""How a paragraph becomes lines."""


@cache
def installed() -> bool:
    """Whether HarfBuzz and ICU are there, without importing them."""
    return all(find_spec(name) is not None for name in ("uharfbuzz", "icu4py"))
