"""Enters the recipes of some assets in a baseline, in place of their former ones."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from functools import cached_property
from itertools import chain
from typing import Final, TypeVar, cast

from msgspec.structs import replace

from flux2build.assetspec.documents import AssetFiles, each_has_one
from flux2build.assetspec.part import Part
from flux2build.assetspec.spec import Budget
from flux2build.incremental import traces
from flux2build.incremental.baseline import Baseline, Contents, Entered
from flux2build.incremental.keeping import (
    asking_of,
    drawn_of,
    expected_of,
    idle_of,
    plain_budget,
    said_of,
    tags_of,
)
from flux2build.incremental.members import Members
from flux2build.incremental.placing import Placing
from flux2build.incremental.plain_recipes import plain
from flux2build.incremental.surroundings import around
from flux2build.lockfile import Lockfile
from flux2build.model import (
    AssetName,
    Derive,
    Generate,
    Input,
    OutputOf,
    Recipe,
    Source,
    Write,
)
from flux2build.planning.plan import Orphan, orphans
from flux2build.planning.quotes import masters
from flux2build.planning.replan import names
from flux2build.session.project import Project
from flux2build.session.sources import above

T = TypeVar("T")

_DIGEST: Final = "sha256:"


class Entering:
    """Combines a baseline with the current recipes of some assets."""

    def __init__(
        self, project: Project, base: Baseline, lock: Lockfile, part: Part, members: Members
    ) -> None:
        self._project, self._base, self._lock, self._part = project, base, lock, part
        self._members, steps = members, base.contents["steps"]
        own = (*part.assets, *members.gone)
        self._before = {at: base.recipe(at) for name in own for at in steps.get(name, ())}
        self._first_document = base.count

    def entered(self, trace: traces.Contents, *, odd: bool) -> Entered | None:
        """The baseline with the recipes; None if other assets may change, too."""
        part, contents = self._part, self._base.contents.copy()
        if not (self._settled() and self._alone() and self._apart()):
            return None
        documents, asking = self._documents(), self._asking()
        reviewed = self._reviewed(asking)
        if reviewed is None:
            return None
        if odd or part.suspicious or self._ask_for_the_same(trace):
            contents["checks"] = None
        contents["reviewed"], contents["asking"] = reviewed, asking
        if part.idle is not None:
            contents["idle"] = idle_of(part.idle)
        contents["budget"] = plain_budget(Budget(**vars(part.reader.tables.budget)))
        contents["tags"] = self._updated(contents["tags"], tags_of(part.assets))
        contents["drawn"] = self._updated(contents["drawn"], drawn_of(part.assets))
        contents["expected"] = self._updated(contents["expected"], expected_of(part.assets))
        contents["sizes"] = self._sizes()
        contents["notes"] = self._notes()
        contents["said"] = said_of(part.reading.text.data, self._base.profile)
        contents["trace"] = trace
        self._enter_files(contents, trace)
        if self._members.same and self._in_place():
            others = self._replaced(contents, documents)
            return Entered(Baseline(contents), others, part.assets, self._base.orphans)
        return self._moved(contents, documents)

    def _settled(self) -> bool:
        """Whether every former asset is in the lock, and every new name is free."""
        owners = {recipe.asset for recipe in self._before.values()}.difference(
            map(AssetName, self._base.contents["open"])
        )
        return all(
            self._lock.block(name, self._base.profile) for name in owners
        ) and self._members.new.isdisjoint(self._base.contents["steps"])

    def _alone(self) -> bool:
        """Whether the recipes can be known without those of other assets."""
        if each_has_one(self._part.reader.tables.manifest):
            return False
        before = {recipe.output: recipe for recipe in self._before.values()}
        gone = self._members.gone
        return not any(
            isinstance(recipe.task, Write)
            or (
                isinstance(recipe.task, Derive)
                and any(not isinstance(each, Source) for each in recipe.inputs[1:])
                and (recipe.asset in gone or recipe != before.get(recipe.output))
            )
            for recipe in (*self._before.values(), *self._part.recipes)
        )

    def _apart(self) -> bool:
        """Whether files of other assets do not depend on how these are ordered."""
        orders = [
            {r.asset: _ordered(r.task) for r in recipes if isinstance(r.task, Generate)}
            for recipes in (self._before.values(), self._part.recipes)
        ]
        own = self._before.keys()
        options = self._base.said
        for name in (*self._part.assets, *self._members.gone):
            order_before, order_now = (each.get(AssetName(name)) for each in orders)
            if order_before and order_now and order_before != order_now and "provider" in options:
                return False
            users = [
                self._base.recipe(at) for at in self._base.users(f"asset:{name}") if at not in own
            ]
            if any(isinstance(each.task, Write) for each in users):
                return False
            if order_before != order_now and any(isinstance(each.task, Derive) for each in users):
                return False
        return True

    def _documents(self) -> dict[int, Recipe]:
        """The current documents about many assets that differ, by their places."""
        base, part = self._base, self._part
        resources = part.reading.resolver.resources
        files = AssetFiles(
            part.assets, part.recipes, resources.outputs.folder, resources.masters.folder
        )
        documents: dict[int, Recipe] = {}
        places = {name: at for at, name in enumerate(self._members.declared)}
        for at in reversed(range(base.count)):
            document = base.recipe(at)
            if not isinstance(document.task, Write):
                break
            self._first_document = at
            if [*base.steps(document.asset)] != [at]:
                continue  # the document is about its own asset alone
            changed = _updated_document(document, document.task, files, places)
            if changed != document:
                documents[at] = changed
        return documents

    def _asking(self) -> list[str]:
        """The assets that ask for an approval themselves."""
        others = (name for name in self._base.contents["asking"] if not self._own(name))
        return sorted({*asking_of(self._part.assets), *others})

    def _reviewed(self, asking: Collection[str]) -> list[str] | None:
        """The assets whose pictures a person has to approve; None if the spec must be read to know."""
        if self._base.contents["ships_approved"]:
            return sorted(self._rendered)
        options = self._part.reader.tables.checks.get("review")
        required = options.get("required") if isinstance(options, Mapping) else None
        if not required:
            return [*asking]
        from flux2build.incremental.names_in_brief import named

        named_assets = named(self._base, required) if self._members.same else None
        return None if named_assets is None else sorted({*asking, *(named_assets & self._rendered)})

    @cached_property
    def _rendered(self) -> frozenset[str]:
        """The assets whose pictures are rendered."""
        master = "asset:"
        makers = self._base.contents["makers"]
        names = (each.removeprefix(master) for each in makers if each.startswith(master))
        own = (str(each.asset) for each in self._part.recipes if isinstance(each.task, Generate))
        return frozenset({*own, *(name for name in names if not self._own(name))})

    def _ask_for_the_same(self, trace: traces.Contents) -> bool:
        """Whether another member of a family has the same request as one of these."""
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
        now = {str(name): size for name, size in masters(self._part.recipes).items()}
        return self._updated(self._base.contents["sizes"], now)

    def _notes(self) -> dict[str, tuple[str, ...]]:
        """The notes about rendered pictures."""
        part, families = self._part, self._part.families | self._gone_tables()
        others = {name: each for name, each in self._base.notes.items() if name not in families}
        return others | {name: each for name, each in part.notes.items() if name in families}

    def _updated(self, before: Mapping[str, T], now: dict[str, T]) -> dict[str, T]:
        """The current values of assets; former assets stay in their places."""
        updated = {**before, **now}
        for name in {*self._part.assets, *self._members.gone} - now.keys():
            updated.pop(name, None)
        return updated

    def _own(self, name: str) -> bool:
        """Whether an asset was read again, or removed."""
        return name in self._part.assets or name in self._members.gone

    def _gone_tables(self) -> frozenset[str]:
        return frozenset(self._members.before.keys() - self._members.now.keys())

    def _unread(self, trace: traces.Contents) -> set[str]:
        """The data files that are no longer read."""
        before = cast("traces.Contents", self._base.contents["trace"])
        return before["data"].keys() - trace["data"].keys()

    def _enter_files(self, contents: Contents, trace: traces.Contents) -> None:
        """Enter the files of the recipes, and the current dependencies of the spec."""
        base, index = self._base, self._project.index
        outputs = {recipe.output for recipe in self._part.recipes}
        folders = above(outputs)
        written = outputs | folders | {*base.folders}
        states = {
            path: state
            for path, state in self._project.tree.asked.items()
            if f"output:{path}" not in base.contents["makers"] and path not in written
        }
        more = sorted(self._project.tree.asked.keys() & folders.difference(base.folders, base.spec))
        contents["folders"] = [*base.folders, *more]
        inputs = (each for recipe in self._part.recipes for each in recipe.inputs)
        sources = {each.path for each in inputs if isinstance(each, Source)}
        files = (sources | outputs).difference(base.files)
        new = (states.keys() | files) - base.states.keys()
        # A path that was only looked at now may have been read before; its digest must stay.
        read = {path: state for path, state in states.items() if state.startswith(_DIGEST)}
        new_to_spec = {path: state for path, state in states.items() if path not in base.spec}
        contents["spec"] = {**base.spec, **new_to_spec, **read}
        surroundings = (
            each for each in around(self._project, new - outputs) if each not in base.around
        )
        contents["around"] = {**base.around, **{each: index.state(each) for each in surroundings}}
        contents["states"] = {**contents["states"], **{path: index.known(path) for path in new}}
        for path in self._unread(trace) - files - {*base.files}:
            contents["spec"].pop(path, None)
            contents["states"].pop(path, None)
        if files:
            contents["files"] = sorted({*base.files, *files})

    def _in_place(self) -> bool:
        """Whether each recipe can take the place of a former one in the order of building."""
        users = self._base.contents["users"]
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
            and all(users.get(str(each)) for recipe in self._part.recipes for each in recipe.inputs)
        )

    def _replaced(self, contents: Contents, documents: Mapping[int, Recipe]) -> frozenset[int]:
        """Put the recipes into their places, and return the places of changed ones."""
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
        return frozenset(others) | self._rejudged(contents)

    def _rejudged(self, contents: Contents) -> frozenset[int]:
        """The steps to judge because the words about an asset, or its need for approval, have changed."""
        waiting = {*contents["reviewed"]} ^ {*self._base.contents["reviewed"]}
        steps = contents["steps"]
        places = {at for name in waiting for at in steps.get(name, ())}
        return self._rejudged_own(contents) | places

    def _rejudged_own(self, contents: Contents) -> frozenset[int]:
        blocks = {name: self._lock.block(name, self._base.profile) for name in self._part.assets}
        before = self._base.contents
        words = contents["expected"].items() - before["expected"].items()
        changed = {*contents["reviewed"]}.difference(before["reviewed"]) | {n for n, _ in words}
        return frozenset(
            contents["steps"][name][0]
            for name, asset in self._part.assets.items()
            if name in changed or ((block := blocks[name]) is not None and block.meta != asset.meta)
        )

    def _moved(self, contents: Contents, documents: Mapping[int, Recipe]) -> Entered | None:
        """The baseline with all recipes in a new order; None if that is unsound."""
        base, part = self._base, self._part
        if self._reuses_files() or self._used_elsewhere(documents):
            return None
        own = self._before.keys()
        placing = Placing(base, own, part.recipes, documents, self._first_document)
        places = placing.enter(contents, self._members.declared)
        if places is None or not self._apart_from_others(contents):
            return None
        before = {recipe.output: recipe for recipe in self._before.values()}
        recipes = enumerate(part.recipes, start=base.count)
        others = {places[at] for at, recipe in recipes if before.get(recipe.output) != recipe}
        others |= {places[at] for at in documents} | self._rejudged(contents)
        if (left_over := self._left_over(contents)) is None:
            return None
        return Entered(Baseline(contents), frozenset(others), part.assets, left_over)

    def _reuses_files(self) -> bool:
        """Whether a new output may have belonged to another asset or profile."""
        owners = {recipe.output: recipe.asset for recipe in self._before.values()}
        files = {*self._base.files}
        return any(
            owners.get(recipe.output) != recipe.asset and recipe.output in files
            for recipe in self._part.recipes
        )

    def _used_elsewhere(self, documents: Container[int]) -> bool:
        """Whether a file that is no longer made is an input of others."""
        new = {name for each in self._part.recipes for name in names(each)}
        gone = {name for each in self._before.values() for name in names(each)} - new
        users = (at for name in gone for at in self._base.users(name))
        return any(at not in self._before and at not in documents for at in users)

    def _apart_from_others(self, contents: Contents) -> bool:
        """Whether each output is a separate file that is not also read."""
        part, output = self._part, "output:"
        makers = contents["makers"]
        outputs = [each.removeprefix(output) for each in makers if each.startswith(output)]
        catalogs = part.reading.texts.translations.used
        reserved = chain(Baseline(contents).sources, part.reading.families.files, catalogs)
        return part.apart(part.reader.profile, outputs, reserved)

    def _left_over(self, contents: Contents) -> tuple[Orphan, ...] | None:
        """The files that are no longer made; None if another asset makes one of them."""
        names = {*self._part.assets, *map(AssetName, self._members.gone)}
        blocks = [self._lock.block(name, self._base.profile) for name in names]
        recipes, profile = self._part.recipes, self._base.profile
        left_over = orphans(recipes, filter(None, blocks), frozenset({profile}), profile)
        any_reused = any(f"output:{each.path}" in contents["makers"] for each in left_over)
        if any_reused:
            return None
        others = (each for each in self._base.orphans if each.asset not in names)
        return tuple(sorted((*others, *left_over), key=lambda each: (each.path, each.asset)))


def _maker(source: Input) -> str:
    """The maker of an input; empty for a user's file, which exists already."""
    return "" if isinstance(source, Source) else str(source)


def _ordered(task: Generate) -> tuple[object, ...]:
    """The parts of an order that other recipes may also decide, or depend on."""
    return task.provider, task.model, task.params.get("ground"), task.params.get("framed")


def _updated_document(
    document: Recipe, task: Write, files: AssetFiles, places: Mapping[str, int]
) -> Recipe:
    """A document about all assets, in the order of `places`, with the current files of some."""
    pairs = zip(task.about, document.inputs, strict=True)
    described = [
        pair for pair in pairs if pair[0].asset in places and pair[0].asset not in files.assets
    ]
    for name in files.assets:
        shown = files.shown(name)
        described += [(files.about(each), OutputOf(each.asset, each.output)) for each in shown]
    described.sort(key=lambda pair: places[pair[0].asset])
    about, inputs = (
        (tuple(each) for each in zip(*described, strict=True)) if described else ((), ())
    )
    return replace(document, task=replace(task, about=about), inputs=inputs)
