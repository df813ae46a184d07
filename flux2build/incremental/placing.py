"""Puts the recipes of some assets among those of a baseline, in the order of building."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from flux2build.incremental.baseline import Baseline, Contents
from flux2build.incremental.plain_recipes import plain
from flux2build.model import AssetName, Generate, MasterOf, Recipe
from flux2build.planning.graph import ranked
from flux2build.planning.replan import names

_MASTER = "asset:"
_Rank = tuple[int, int, int]
"""Where a step stands: the turn of its master, the place of its asset, and where it stood."""


class Placing:
    """A baseline of which some steps are left out, and some recipes that it is to have instead.

    Of the `documents`, some are others in the same place; from the first one on, all steps are.
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
        """Enter all in the order in which assets are declared; None if they are in a circle.

        Return the places that steps have now, by those they had; recipes follow upon those.
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
        """The assets of all steps that were there before."""
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
