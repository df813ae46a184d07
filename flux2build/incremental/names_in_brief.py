"""Finds the assets that a choice selects, without reading the spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Final

from flux2build.errors import Flux2BuildError
from flux2build.incremental.baseline import Baseline
from flux2build.lockfile.parts import Parts
from flux2build.model import Asset, AssetName, Generate, Recipe, Source
from flux2build.planning.plan import Plan
from flux2build.planning.selection import Field, Values, field_of, select, with_decisions
from flux2build.planning.snapshot import Snapshot
from flux2build.session.common_options import Choice
from flux2build.storage.paths import fold, safe_name

_AXES: Final = r"\[([^\]]*)\]"
_DIGEST: Final = "sha256:"
_OUTPUT: Final = "output:"


class UnknownError(Flux2BuildError):
    """The spec must be read to know what is selected."""


class Names:
    """The names, tags and states by which assets of a baseline can be selected.

    Without a plan and a snapshot, these are only names and tags.
    """

    def __init__(
        self, base: Baseline, plan: Plan | None = None, snapshot: Snapshot | None = None
    ) -> None:
        self._base, self._plan = base, plan or Plan(base.profile, ())
        self._snapshot = snapshot

    def field(self, words: Iterable[str]) -> Field:
        """The field from which words select.

        Raises:
            UnknownError: the spec must be read.
        """
        axes = re.findall(_AXES, " ".join(words))
        if axes and not (self._base.members and all(map(_plain, axes))):
            raise UnknownError("axes may have other values than stand in names")
        up, down = partial(self._reached, self._needed), partial(self._reached, self._using)
        return Field(self.assets, _Values(self), up, down, self._sources, self._common)

    def closure(self, chosen: Iterable[AssetName]) -> frozenset[AssetName]:
        """Some assets, with all their inputs."""
        return frozenset(each for name in chosen for each in self._reached(self._needed, name))

    @cached_property
    def assets(self) -> Mapping[AssetName, Asset]:
        """All assets as they are selected and listed, then the documents about many of them."""
        return {each.name: each for each in self._assets()}

    def _assets(self) -> Iterator[Asset]:
        families = {AssetName(n): f for f, names in self._base.members.items() for n in names}
        drawn, tags = self._base.contents["drawn"], self._base.contents["tags"]
        others = (n for n in (*map(AssetName, drawn), *self._base.assets) if n not in families)
        for name in (*families, *dict.fromkeys(others)):
            family = families.get(name) or (name if "/" in name else name.partition("[")[0])
            axes = _axes(name) if name in families else {}
            yield Asset(name, family, axes, tuple(tags.get(name, ())), source=drawn.get(name))

    def values(self, method: str) -> Values:
        """The values by which a method selects each asset."""
        if method == "path":
            return self.paths
        if method == "state":
            return self.states
        if method == "model":
            return {
                each.asset: {each.task.card}
                for each in self._recipes
                if isinstance(each.task, Generate)
            }
        return self._judged.values[method]

    @cached_property
    def paths(self) -> Mapping[AssetName, Sequence[str]]:
        """The paths of each asset's files, in the order of building."""
        makers = self._base.contents["makers"].items()
        paths = {at: name.removeprefix(_OUTPUT) for name, at in makers if name.startswith(_OUTPUT)}
        steps = self._base.contents["steps"].items()
        return {AssetName(name): [paths[at] for at in places] for name, places in steps}

    @cached_property
    def states(self) -> Values:
        """The states of all assets."""
        if self._snapshot is None:
            raise UnknownError("nothing is known of states")
        blocks = self._snapshot.lock.blocks
        if not (isinstance(blocks, Parts) and blocks.canonical):
            raise UnknownError("a decision may stand anywhere in the lock")
        states = {name: {"current"} for name in self._base.assets}
        states |= {name: {*each} for name, each in self._judged.values["state"].items()}
        for orphan in self._plan.orphans:
            if orphan.asset in states:
                states[orphan.asset].add("orphan")
        decided, reviewed = blocks.reviewed(), self._snapshot.reviewed
        return with_decisions(states, decided, self._base.profile, reviewed)

    @cached_property
    def _judged(self) -> Field:
        """The field of the judged assets, and of all assets by their tags."""
        return field_of(self._plan, self.assets, lambda _: {}, lambda _: {})

    @property
    def _recipes(self) -> Iterator[Recipe]:
        return map(self._base.recipe, range(self._base.count))

    @cached_property
    def _sources(self) -> Mapping[str, Collection[AssetName]]:
        """The assets that are made from a user's file, by its path."""
        base, sources = self._base, dict[str, set[AssetName]]()
        owners = {at: name for name in base.assets for at in base.steps(name)}
        for path in base.sources:
            sources[path] = {owners[at] for at in base.users(path)}
        for name, path in base.contents["drawn"].items():
            sources.setdefault(path, set()).add(AssetName(name))
        return sources

    def _common(self, path: str) -> bool:
        """Whether every asset may depend on a file that is not an input."""
        contents, lock = self._base.contents, self._base.contents["fixed"][0]
        trace = contents["trace"]
        if path == lock or (trace is not None and path in {*trace["specs"], *trace["data"]}):
            return True
        is_output = f"{_OUTPUT}{path}" in contents["makers"]
        files_read = (
            fold(at) for at, state in contents["spec"].items() if state.startswith(_DIGEST)
        )
        if not is_output and ({"/", "."} & {*path} or fold(path) in files_read):
            raise UnknownError("it may be a template, or another file that is read")
        return False

    def _needed(self, asset: AssetName) -> Iterable[AssetName]:
        """The assets that are inputs of one."""
        base = self._base
        inputs = (each for place in base.steps(asset) for each in base.recipe(place).inputs)
        return {each.asset for each in inputs if not isinstance(each, Source)}

    def _using(self, asset: AssetName) -> Iterable[AssetName]:
        """The assets that have one as an input."""
        base = self._base
        outputs = [f"{_OUTPUT}{base.recipe(place).output}" for place in base.steps(asset)]
        users = (place for name in (f"asset:{asset}", *outputs) for place in base.users(name))
        return {base.recipe(place).asset for place in users}

    @staticmethod
    def _reached(
        nearest: Callable[[AssetName], Iterable[AssetName]], start: AssetName
    ) -> Mapping[AssetName, int]:
        """The assets that can be reached from one, each with its distance."""
        distances, todo = {start: 0}, [start]
        for name in todo:
            for each in nearest(name):
                if each not in distances:
                    distances[each] = distances[name] + 1
                    todo.append(each)
        return distances


class _Values(dict[str, Values]):
    """The values of each method, computed when they are asked for."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, method: str) -> Values:
        return self._names.values(method)


def named(base: Baseline, words: Sequence[str]) -> frozenset[AssetName] | None:
    """The assets that names and tags select; None if there are none, or that is unknown."""
    if not Choice(tuple(word.removeprefix("tag:") for word in words)).plain:
        return None
    try:
        return select(words, (), Names(base).field(words))
    except Flux2BuildError:
        return None


def _axes(name: AssetName) -> Mapping[str, str]:
    """The axes of a member, with the values in its name."""
    _, bracket, inside = name.removesuffix("]").partition("[")
    return dict(each.split("=", 1) for each in inside.split(",")) if bracket else {}


def _plain(axes: str) -> bool:
    """Whether axes select the same by the values in names as by those of the spec."""
    values = (each.partition("=")[2].strip() for each in axes.split(","))
    return all(value == "*" or (safe_name(value) == value) for value in values)
