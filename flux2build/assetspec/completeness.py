"""Selects complete recipes: all of their pictures, and the inputs of these, are resolved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence

from flux2build.model import AssetName, Generate, MasterOf, Recipe, Source


def whole(recipes: Iterable[Recipe], assets: Container[AssetName]) -> Sequence[Recipe]:
    """The recipes of resolved assets whose inputs are all resolved, too.

    Documents cannot describe files made of other assets, whose faults are noted already.
    """
    every = list(recipes)
    masters = {recipe.asset for recipe in every if isinstance(recipe.task, Generate)}
    if all(
        recipe.asset in assets
        and all(
            isinstance(each, Source) or (isinstance(each, MasterOf) and each.asset in masters)
            for each in recipe.inputs
        )
        for recipe in every
    ):
        return every
    makers = Counter(name for recipe in every for name in _made(recipe))
    users: dict[MasterOf | str, list[int]] = {}
    for index, recipe in enumerate(every):
        for needed in _needed(recipe):
            users.setdefault(needed, []).append(index)
    lost = {
        index
        for index, recipe in enumerate(every)
        if recipe.asset not in assets or not all(makers[needed] for needed in _needed(recipe))
    }
    pending = list(lost)
    while pending:
        for name in _made(every[pending.pop()]):
            makers[name] -= 1
            if not makers[name]:
                others = set(users.get(name, ())) - lost
                lost |= others
                pending.extend(others)
    return [recipe for index, recipe in enumerate(every) if index not in lost]


def _made(recipe: Recipe) -> Iterator[MasterOf | str]:
    """A recipe's output by its path, and as a master."""
    yield recipe.output
    if isinstance(recipe.task, Generate):
        yield MasterOf(recipe.asset)


def _needed(recipe: Recipe) -> Iterator[MasterOf | str]:
    """The pictures that a recipe is made of, as `_made` names them."""
    for picture in recipe.inputs:
        if not isinstance(picture, Source):
            yield picture if isinstance(picture, MasterOf) else picture.path
