"""Exact lettering: words, fonts and a box in; glyphs in their places, and their ink, out.

Its modules, and HarfBuzz and ICU with them, are imported with the first words that are set:
most commands only ask what could be set.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from flux2build.images.lettering import breaks, faces, ink, layout, scripts, shaping

__all__ = ["Wrap", "breaks", "faces", "ink", "layout", "scripts", "shaping"]

Wrap = Literal["balance", "fill", "none"]
"""How a paragraph becomes lines."""


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(name)
    return importlib.import_module(f"flux2build.images.lettering.{name}")
