"""What the user wants: `assets.toml`, down to the recipe of every file."""

from __future__ import annotations

from flux2build.assetspec.reader import load
from flux2build.assetspec.spec import Budget, Spec

__all__ = ["Budget", "Spec", "load"]
