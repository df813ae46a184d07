"""Enters the recipes of some assets in a baseline, in the places of those that they had before."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Final

from msgspec.structs import replace

from flux2build.assetspec.documents import AssetFiles
from flux2build.assetspec.part import Part
from flux2build.lockfile import Lockfile
from flux2build.model import (
    About,
    AssetName,
    Derive,
    Generate,
    Input,
    OutputOf,
    Recipe,
    Source,
    Write,
)
from flux2build.planning.graph import Graph
from flux2build.planning.plan import orphans
from flux2build.planning.quotes import masters
from flux2build.session import traces
from flux2build.session.baseline import Baseline, Contents, Entered, link, said_of
from flux2build.session.plain_recipes import plain
from flux2build.session.project import Project

_DIGEST: Final = "sha256:"


class Entering:
    """A baseline, and what some assets come to by now."""

    def __init__(self, project: Project, base: Baseline, lock: Lockfile, part: Part) -> None:
        self._project, self._base, self._lock, self._part = project, base, lock, part
        steps = base.contents["steps"]
        self._places = [at for name in part.assets for at in steps.get(name, ())]
        self._before = {at: base.recipe(at) for at in self._places}

    def entered(self, trace: traces.Contents, *, odd: bool) -> Entered | None:
        """The baseline with the recipes; None if other assets may differ as well."""
        part, contents = self._part, Contents(**self._base.contents)
        if not (self._same_assets() and self._alone() and self._apart()):
            return None
        documents, reviewed = self._documents(), self._reviewed()
        if documents is None or reviewed is None:
            return None
        others_reviewed = not {*reviewed} <= {*self._base.contents["reviewed"]}
        if odd or part.suspicious or self._ask_for_the_same(trace) or others_reviewed:
            contents["checks"] = None
        contents["reviewed"] = reviewed
        contents["sizes"] = self._sizes()
        contents["notes"] = self._notes()
        contents["said"] = said_of(part.reading.text.data, self._base.profile)
        contents["trace"] = trace
        self._enter_files(contents)
        if self._in_place():
            others = self._replaced(contents, documents)
            return Entered(Baseline(contents), others, part.assets)
        return self._moved(contents, documents)

    def _same_assets(self) -> bool:
        """Whether the same assets have files, all of them locked, and none waits for a person."""
        part, profile = self._part, self._base.profile
        named = {recipe.asset for recipe in self._before.values()}
        return named == {recipe.asset for recipe in part.recipes} and all(
            self._lock.block(name, profile) is not None and not asset.expect_text
            for name, asset in part.assets.items()
        )

    def _alone(self) -> bool:
        """Whether the recipes can be known without those of other assets."""
        before = {recipe.output: recipe for recipe in self._before.values()}
        return not any(
            recipe.takes
            or recipe.candidate
            or isinstance(recipe.task, Write)
            or (
                isinstance(recipe.task, Derive)
                and any(not isinstance(each, Source) for each in recipe.inputs[1:])
                and recipe != before.get(recipe.output)
            )
            for recipe in (*self._before.values(), *self._part.recipes)
        )

    def _apart(self) -> bool:
        """Whether no file of another asset follows from how these are ordered."""
        orders = [
            {r.asset: _ordered(r.task) for r in recipes if isinstance(r.task, Generate)}
            for recipes in (self._before.values(), self._part.recipes)
        ]
        own = self._before.keys()
        said = self._base.said
        for name in self._part.assets:
            was, now = (each.get(name) for each in orders)
            if was != now and (was is None or now is None or "provider" in said):
                return False
            users = [
                self._base.recipe(at) for at in self._base.users(f"asset:{name}") if at not in own
            ]
            if any(isinstance(each.task, Write) for each in users):
                return False
            if was != now and any(isinstance(each.task, Derive) for each in users):
                return False
        return True

    def _documents(self) -> dict[int, Recipe] | None:
        """The documents about many assets as they are now, by their places, where they differ.

        None if assets have a place in one that had none before.
        """
        base, part = self._base, self._part
        resources = part.reading.resolver.resources
        files = AssetFiles(
            part.assets, part.recipes, resources.outputs.folder, resources.masters.folder
        )
        documents: dict[int, Recipe] = {}
        for at in reversed(range(base.count)):
            document = base.recipe(at)
            if not isinstance(document.task, Write):
                break
            if [*base.steps(document.asset)] != [at]:
                continue  # it is about a single asset, and its own
            retold = _retold(document, document.task, files)
            if retold is None:
                return None
            if retold != document:
                documents[at] = retold
        return documents

    def _reviewed(self) -> list[str] | None:
        """The assets whose pictures a person has to approve; None if all must be looked at to know."""
        base, assets = self._base.contents["reviewed"], self._part.assets
        if self._base.contents["ships_approved"]:
            return base
        if "review" in self._part.reader.tables.checks:
            return None
        own = {str(name) for name, asset in assets.items() if asset.review}
        return sorted(own.union(name for name in base if name not in assets))

    def _ask_for_the_same(self, trace: traces.Contents) -> bool:
        """Whether another member of a family asks for the same as one of these."""
        before, now = (
            [traces.request(recipe) for recipe in recipes if isinstance(recipe.task, Generate)]
            for recipes in (self._before.values(), self._part.recipes)
        )
        requests = traces.without(trace["requests"], *before)
        requests.update(now)
        trace["requests"] = dict(+requests)
        return any(requests[each] > 1 for each in now)

    def _sizes(self) -> dict[str, tuple[int, int]]:
        """The sizes at which masters are ordered."""
        before, assets = self._base.contents["sizes"], self._part.assets
        others = {name: size for name, size in before.items() if name not in assets}
        return others | {str(name): size for name, size in masters(self._part.recipes).items()}

    def _notes(self) -> dict[str, tuple[str, ...]]:
        """What is to be known of pictures that are rendered."""
        families, part = self._part.families, self._part
        others = {name: each for name, each in self._base.notes.items() if name not in families}
        return others | {name: each for name, each in part.notes.items() if name in families}

    def _enter_files(self, contents: Contents) -> None:
        """Enter the files that the recipes are about, and what the spec depends on by now."""
        base, index = self._base, self._project.index
        asked = {
            path: state
            for path, state in self._project.tree.asked.items()
            if f"output:{path}" not in base.contents["makers"] and path not in base.folders
        }
        sources = (each for recipe in self._part.recipes for each in recipe.inputs)
        files = {each.path for each in sources if isinstance(each, Source)}
        files = (files | {recipe.output for recipe in self._part.recipes}).difference(base.files)
        new = (asked.keys() | files) - base.states.keys()
        # What was looked at only now may have been read before, and what it was must not be forgotten.
        read = {path: state for path, state in asked.items() if state.startswith(_DIGEST)}
        contents["spec"] = {**asked, **base.spec, **read}
        contents["states"] = {**contents["states"], **{path: index.known(path) for path in new}}
        if files:
            contents["files"] = sorted({*base.files, *files})

    def _in_place(self) -> bool:
        """Whether each recipe takes the place of another one, and can be made when that could be."""
        known = self._base.contents["users"]
        before, now = (
            {
                recipe.output: (recipe.asset, recipe.kind, *map(_maker, recipe.inputs))
                for recipe in recipes
            }
            for recipes in (self._before.values(), self._part.recipes)
        )
        orders = (sorted(each, key=lambda path: each[path][0]) for each in (before, now))
        return (
            before == now
            and len({tuple(each) for each in orders}) == 1
            and all(known.get(str(each)) for recipe in self._part.recipes for each in recipe.inputs)
        )

    def _replaced(self, contents: Contents, documents: Mapping[int, Recipe]) -> frozenset[int]:
        """Put the recipes into their places, and return the places of those that are others."""
        recipes, users = list(contents["recipes"]), dict(contents["users"])
        makers, others = contents["makers"], set[int]()
        for recipe in (*self._part.recipes, *documents.values()):
            place = makers[f"output:{recipe.output}"]
            recipes[place], before = plain(recipe), self._base.recipe(place)
            if recipe == before:
                continue
            others.add(place)
            for each in before.inputs:
                users[str(each)] = [at for at in users[str(each)] if at != place]
            for each in recipe.inputs:
                users[str(each)] = [*users.get(str(each), ()), place]
        contents["recipes"], contents["users"] = recipes, users
        return frozenset(others) | self._told(contents)

    def _told(self, contents: Contents) -> frozenset[int]:
        """The first steps of assets of which something else is said than the lock says."""
        blocks = {name: self._lock.block(name, self._base.profile) for name in self._part.assets}
        return frozenset(
            contents["steps"][name][0]
            for name, asset in self._part.assets.items()
            if (block := blocks[name]) is not None and block.meta != asset.meta
        )

    def _moved(self, contents: Contents, documents: Mapping[int, Recipe]) -> Entered | None:
        """The baseline with all recipes in a new order; None if that is not sound."""
        base, part = self._base, self._part
        if any(profile != base.profile for _, profile in base.places):
            return None  # another profile may have files there
        before = [documents.get(at) or base.recipe(at) for at in range(base.count)]
        files: dict[AssetName, list[Recipe]] = {}
        for recipe in (*(r for r in before if r.asset not in part.assets), *part.recipes):
            files.setdefault(recipe.asset, []).append(recipe)
        members = (one.name for each in part.reading.declared for one in each.family.members)
        pictures = [recipe for name in members for recipe in files.pop(name, ())]
        recipes = (*pictures, *(recipe for each in files.values() for recipe in each))
        inputs = (each for recipe in recipes for each in recipe.inputs)
        if part.collide(recipes, (each.path for each in inputs if isinstance(each, Source))):
            return None
        graph = Graph(recipes)
        if graph.cycle:
            return None
        known = {recipe.output: recipe for recipe in map(base.recipe, range(base.count))}
        link(contents, graph.ordered)
        now = enumerate(graph.ordered)
        others = {at for at, recipe in now if known.get(recipe.output) != recipe}
        blocks = (self._lock.blocks[name, base.profile] for name in part.assets)
        left = orphans(recipes, blocks, frozenset({base.profile}), base.profile)
        told = self._told(contents)
        return Entered(Baseline(contents), told | others, part.assets, left, moved=True)


def _maker(source: Input) -> str:
    """What makes an input; nothing for a file of the user's, which is there already."""
    return "" if isinstance(source, Source) else str(source)


def _ordered(task: Generate) -> tuple[object, ...]:
    """What of an order other recipes may decide, too, or follow from."""
    return task.provider, task.model, task.params.get("ground"), task.params.get("framed")


def _retold(document: Recipe, task: Write, files: AssetFiles) -> Recipe | None:
    """A document about many assets, with what some of them are by now; None if one was not in it."""
    about: list[tuple[About, Input]] = []
    missing = {name for name in files.assets if files.shown(name)}
    pairs = zip(task.about, document.inputs, strict=True)
    for name, group in groupby(pairs, key=lambda pair: pair[0].asset):
        if name not in files.assets:
            about += group
            continue
        missing.discard(name)
        shown = files.shown(name)
        about += [(files.about(each), OutputOf(each.asset, each.output)) for each in shown]
    if missing:
        return None
    told = replace(task, about=tuple(each for each, _ in about))
    return replace(document, task=told, inputs=tuple(source for _, source in about))
