"""Merges two locks by the recipes of the merged spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.lockfile import Block, Derived, Generated, LockedInput, Lockfile, ReviewState, Row
from flux2build.lockfile.decisions import agreed
from flux2build.lockfile.merge import preferred, united
from flux2build.model import Derive, Generate, Recipe
from flux2build.planning import candidates
from flux2build.planning.plan import Inputs
from flux2build.planning.snapshot import row_of


def reconciled(
    by_profile: Mapping[str, Sequence[Recipe]],
    ours: Lockfile,
    theirs: Lockfile,
    files: Mapping[str, Digest],
) -> Lockfile:
    """Merge two locks: each output keeps the row that the merged spec wants.

    `by_profile` holds the recipes of each profile, in an order in which inputs come first; `files`
    holds the digest of each file by its path. Where the spec wants neither row, the row whose file
    exists wins, else ours. Rows of only one side stay.
    """
    merged = united(ours, theirs)
    blocks = dict(merged.blocks)
    for profile, recipes in by_profile.items():
        inputs = Inputs(files)
        for recipe in recipes:
            name = (recipe.asset, profile)
            sides = [side.block(*name) for side in (ours, theirs)]
            row = _wanted(recipe, inputs, [each for each in sides if each], files)
            if name not in blocks:
                continue
            if row is not None:
                inputs.note(recipe, row.output.sha256)
                blocks[name] = blocks[name].with_row(row)
            if isinstance(recipe.task, Generate):
                reviews = [each.review for each in sides if each]
                output = row.output.sha256 if row else None
                generated = blocks[name].generated if row else None
                review = agreed(reviews, output)
                blocks[name] = replace(blocks[name], generated=generated, review=review)
    return replace(merged, blocks=blocks)


def _wanted(
    recipe: Recipe, inputs: Inputs, sides: Sequence[Block], files: Mapping[str, Digest]
) -> Row | None:
    """The row that the merged spec wants; None if there is none, or two people picked two."""
    digests = inputs.of(recipe)
    rows, pairs = list[Row](), list[tuple[Row, Recipe]]()
    for side in sides:
        if (row := row_of(recipe, side)) is not None:
            rows.append(row)
            own = candidates.chosen(recipe, digests, side, free=True)
            pairs += [(row, own)] if inputs.key(own) == row.key else []
    if len({row.key for row, _ in pairs}) > 1:
        pairs = _picked(pairs, sides)
        if len({row.key for row, _ in pairs}) > 1:
            return None
    keys = {row.key for row, _ in pairs}
    key = next(iter(keys), inputs.key(recipe))
    best = preferred(rows, key, files)
    if best is None or best.key != key:
        return best
    task = next((each for other, each in pairs if other.key == best.key), recipe)
    return _as_asked(best, task, digests)


def _picked(
    pairs: Sequence[tuple[Row, Recipe]], sides: Sequence[Block]
) -> list[tuple[Row, Recipe]]:
    """The candidate that ships, of two: the approved one, else the picked one."""
    approved = {
        side.decision.sha256
        for side in sides
        if side.decision and side.decision.state is ReviewState.APPROVED
    }
    for which in (
        [pair for pair in pairs if pair[0].output.sha256 in approved],
        [pair for pair in pairs if isinstance(pair[0], Generated) and pair[0].picked],
    ):
        if len({row.key for row, _ in which}) == 1:
            return which
    return list(pairs)


def _as_asked(row: Row, recipe: Recipe, digests: Iterable[Digest | None]) -> Row:
    """A row that matches the key of a recipe, with the recipe's lists.

    The row's own lists may hold both sides, where a merge left no markers.
    """
    pairs = zip(recipe.inputs, digests, strict=True)
    inputs = tuple(LockedInput(str(each), digest) for each, digest in pairs if digest)
    if isinstance(row, Generated) and isinstance(recipe.task, Generate):
        return replace(row, prompt=recipe.task.prompt, inputs=inputs)
    if isinstance(row, Derived) and isinstance(recipe.task, Derive):
        return replace(row, ops=recipe.task.ops, inputs=inputs)
    return row
