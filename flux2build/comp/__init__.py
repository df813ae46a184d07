"""Comps: drawings that stand in for pictures that nobody has paid for yet.

How to draw is imported with the first comp: most commands only ask what could be drawn.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flux2build.comp.sheet import draw, picture

__all__ = ["FORMATS", "draw", "picture"]

FORMATS: Final = ("png", "jpeg", "webp")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    return getattr(importlib.import_module("flux2build.comp.sheet"), name)
