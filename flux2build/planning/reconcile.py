"""Merging two locks by what the merged spec wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flux2build.digest import Digest
from flux2build.lockfile import Lockfile, Row
from flux2build.lockfile.merge import preferred, united
from flux2build.model import Recipe
from flux2build.planning.plan import Inputs
from flux2build.planning.verdict import row_of


def reconciled(
    wanted: Mapping[str, Sequence[Recipe]],
    ours: Lockfile,
    theirs: Lockfile,
    files: Mapping[str, Digest],
) -> Lockfile:
    """Merge two locks: each output keeps the row that the merged spec wants.

    `wanted` holds the recipes of each profile, in an order in which inputs come
    first; `files` holds the digest of each file by its path. Where the spec wants
    neither row, the row whose file exists wins, else ours. Whatever only one
    side knows is kept.
    """
    merged = united(ours, theirs)
    blocks = dict(merged.blocks)
    for profile, recipes in wanted.items():
        inputs = Inputs(files)
        for recipe in recipes:
            rows = [_row(side, recipe, profile) for side in (ours, theirs)]
            row = preferred([r for r in rows if r is not None], inputs.key(recipe), files)
            if row is not None:
                inputs.note(recipe, row.output.sha256)
                block = blocks[(recipe.asset, profile)]
                blocks[(recipe.asset, profile)] = block.with_row(row)
    return replace(merged, blocks=blocks)


def _row(side: Lockfile, recipe: Recipe, profile: str) -> Row | None:
    block = side.block(recipe.asset, profile)
    return row_of(recipe, block) if block else None
