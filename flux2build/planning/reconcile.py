"""Merging two locks by what the merged spec wants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.lockfile import Derived, Generated, LockedInput, Lockfile, Row
from flux2build.lockfile.merge import preferred, united
from flux2build.model import Derive, Generate, Recipe
from flux2build.planning.plan import Inputs
from flux2build.planning.snapshot import row_of


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
            key = inputs.key(recipe)
            row = preferred([r for r in rows if r is not None], key, files)
            if row is not None:
                row = _as_asked(row, recipe, inputs.of(recipe)) if row.key == key else row
                inputs.note(recipe, row.output.sha256)
                block = blocks[(recipe.asset, profile)]
                blocks[(recipe.asset, profile)] = block.with_row(row)
    return replace(merged, blocks=blocks)


def _as_asked(row: Row, recipe: Recipe, digests: Iterable[Digest | None]) -> Row:
    """A row that the key of a recipe proves, with the recipe's lists.

    Those of the row may hold both sides, where a merge left no markers.
    """
    pairs = zip(recipe.inputs, digests, strict=True)
    inputs = tuple(LockedInput(str(each), digest) for each, digest in pairs if digest)
    if isinstance(row, Generated) and isinstance(recipe.task, Generate):
        return replace(row, prompt=recipe.task.prompt, inputs=inputs)
    if isinstance(row, Derived) and isinstance(recipe.task, Derive):
        return replace(row, ops=recipe.task.ops, inputs=inputs)
    return row


def _row(side: Lockfile, recipe: Recipe, profile: str) -> Row | None:
    block = side.block(recipe.asset, profile)
    return row_of(recipe, block) if block else None
