"""Chooses the pictures that are drawn on a key colour, so that `key` leaves their subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from flux2build.digest import Json
from flux2build.model import AssetName, Derive, Generate, MasterOf, Recipe
from flux2build.providers.capabilities import Card

if TYPE_CHECKING:
    from flux2build.images.ops.contract import Op

Ops: TypeAlias = "Mapping[str, type[Op]]"


def keyed(
    recipes: Sequence[Recipe], cards: Mapping[str, Mapping[str, Card]], ops: Ops
) -> Sequence[Recipe]:
    """The recipes; orders of capable models get the `ground` that becomes transparent later.

    Such an order is `framed` where frames are cut out of the picture, so that none is empty.
    """
    orders = [
        (recipe.asset, task) for recipe in recipes if isinstance(task := recipe.task, Generate)
    ]
    models = {(task.provider, task.model): task for _, task in orders}
    fit = {model for model, task in models.items() if cards[task.provider][task.card].grounds}
    able = {asset for asset, task in orders if (task.provider, task.model) in fit}
    grounds: dict[AssetName, str] = {}
    boards: set[AssetName] = set()
    for recipe in recipes if able else ():
        if isinstance(recipe.task, Derive):
            for colour, asset in _keys(recipe, recipe.task, ops):
                grounds.setdefault(asset, colour)
            boards.update(_boards(recipe, recipe.task, ops))
    if not (keyed := able & grounds.keys()):
        return recipes
    return [
        _on(recipe, grounds[recipe.asset], framed=recipe.asset in boards)
        if recipe.asset in keyed
        else recipe
        for recipe in recipes
    ]


def _keys(recipe: Recipe, task: Derive, ops: Ops) -> Iterator[tuple[str, AssetName]]:
    """The colours that become transparent, each with the master that the picture shows."""
    from flux2build.assetspec.input_fields import pictures

    masters = {0}
    for step in task.ops:
        op = ops[step.op]
        if op.board_by:
            masters.update(pictures(step, op))
        if op.key_colour:
            yield from ((str(step.params[op.key_colour]), asset) for asset in _of(recipe, masters))


def _boards(recipe: Recipe, task: Derive, ops: Ops) -> Iterator[AssetName]:
    """The masters that are used as boards of frames."""
    from flux2build.assetspec.input_fields import pictures

    for step in task.ops:
        op = ops[step.op]
        if op.board_by in step.params:
            yield from _of(recipe, {0, *pictures(step, op)})


def _of(recipe: Recipe, inputs: Iterable[int]) -> Iterator[AssetName]:
    """The assets whose masters are among some inputs."""
    masters = (recipe.inputs[at] for at in inputs)
    return (master.asset for master in masters if isinstance(master, MasterOf))


def _on(recipe: Recipe, ground: str, *, framed: bool) -> Recipe:
    """The recipe, if it is an order, with its ground."""
    if not isinstance(task := recipe.task, Generate):
        return recipe
    params: dict[str, Json] = {**task.params, "ground": ground}
    if framed:
        params["framed"] = True
    return replace(recipe, task=replace(task, params=params))
