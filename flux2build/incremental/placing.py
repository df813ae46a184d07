"""Inserts the recipes of some assets in a baseline, in the order of building."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from flux2build.incremental.baseline import Baseline, Contents
from flux2build.incremental.plain_recipes import plain
from flux2build.model import AssetName, Generate, MasterOf, Recipe
from flux2build.planning.graph import ranked
from flux2build.planning.replan import names

_MASTER = "asset:"
_Rank = tuple[int, int, int]
"""The position of a step: the turn of its master, the place of its asset, and its former place."""


class Placing:
    """A baseline without some of its steps, and the recipes to insert instead.

    `documents` are changed ones that keep their places; all steps from `first_document` on are
    documents.
    """

    def __init__(
        self,
        base: Baseline,
        left_out: Collection[int],
        recipes: Sequence[Recipe],
        documents: Mapping[int, Recipe],
        first_document: int,
    ) -> None:
        self._base, self._left_out, self._recipes = base, {*left_out}, recipes
        self._documents, self._first_document = documents, first_document
        makers = base.contents["makers"].items()
        self._masters = {
            place: AssetName(name.removeprefix(_MASTER))
            for name, place in makers
            if name.startswith(_MASTER) and place not in self._left_out
        }

    def enter(self, contents: Contents, declared: Iterable[str]) -> Mapping[int, int] | None:
        """Enter all steps in the order of the declared assets; None if they form a circle.

        Return the new places by the former ones; new recipes count as following the former steps.
        """
        places = {AssetName(name): at for at, name in enumerate(declared)}
        needs = self._needs()
        turns = ranked(needs, places)
        if needs.keys() - turns.keys():
            return None
        last, count = len(turns), self._base.count
        ranks: list[_Rank] = []
        for at, name in enumerate(self._owners()):
            if at not in self._left_out:
                later = last + (at >= self._first_document)
                turn = turns[name] if at in self._masters else later
                ranks.append((turn, places.get(name, count), at))
        for at, recipe in enumerate(self._recipes, start=count):
            turn = turns[recipe.asset] if isinstance(recipe.task, Generate) else last
            ranks.append((turn, places[recipe.asset], at))
        order = [at for _, _, at in sorted(ranks)]
        places_now = {at: place for place, at in enumerate(order)}
        self._enter(contents, order, places_now)
        return places_now

    def _owners(self) -> Sequence[AssetName]:
        """The assets of all former steps."""
        owners = [AssetName("")] * self._base.count
        for name in self._base.assets:
            for place in self._base.steps(name):
                owners[place] = name
        return owners

    def _needs(self) -> Mapping[AssetName, Sequence[AssetName]]:
        """The masters that each master is rendered from."""
        masters = self._masters
        needs: dict[AssetName, list[AssetName]] = {name: [] for name in masters.values()}
        for name, users in self._base.contents["users"].items():
            if name.startswith(_MASTER):
                needed = AssetName(name.removeprefix(_MASTER))
                for place in users:
                    if place in masters:
                        needs[masters[place]].append(needed)
        for recipe in self._recipes:
            if isinstance(recipe.task, Generate):
                inputs = recipe.inputs
                needs[recipe.asset] = [one.asset for one in inputs if isinstance(one, MasterOf)]
        return needs

    def _enter(
        self, contents: Contents, order: Sequence[int], places_now: Mapping[int, int]
    ) -> None:
        """Enter steps in an order, each known by its former place."""
        new = {**dict(enumerate(self._recipes, start=self._base.count)), **self._documents}
        unchanged, before = places_now.keys() - new.keys(), contents["recipes"]
        contents["recipes"] = [plain(new[at]) if at in new else before[at] for at in order]
        makers = {
            name: places_now[at] for name, at in contents["makers"].items() if at in unchanged
        }
        users = {
            name: places
            for name, steps in contents["users"].items()
            if (places := [places_now[at] for at in steps if at in unchanged])
        }
        for at, recipe in new.items():
            makers |= dict.fromkeys(names(recipe), places_now[at])
            for source in recipe.inputs:
                users.setdefault(str(source), []).append(places_now[at])
        owners = [*self._owners(), *(recipe.asset for recipe in self._recipes)]
        steps: dict[str, list[int]] = {}
        for place, at in enumerate(order):
            steps.setdefault(owners[at], []).append(place)
        contents["steps"], contents["makers"], contents["users"] = steps, makers, users
