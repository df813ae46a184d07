"""The last reading of a tree in which nothing was to be done, kept to judge what changes later.

It lies in `.flux2build/baseline`, sealed as the index is, and may be deleted at any time. It
holds what the spec came to and the state of every file that this depends on: as long as those
are the same, so are the recipes, and no spec has to be read.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypedDict, cast

from flux2build.digest import Digest, of_bytes
from flux2build.lockfile import parts
from flux2build.model import (
    About,
    AssetName,
    Derive,
    Generate,
    Input,
    MasterOf,
    Operation,
    OutputOf,
    Recipe,
    Source,
    Task,
    Write,
)
from flux2build.planning.replan import names
from flux2build.providers.pricing import Size
from flux2build.session.project import Project
from flux2build.session.settings import config_path
from flux2build.storage import sealed
from flux2build.storage.disk import root_of
from flux2build.storage.edition import EDITION

_NAME: Final = "baseline"
_FORMAT: Final = 2
_OURS: Final = "FLUX2BUILD_"
_INPUTS: Final = {Source: "s", MasterOf: "m", OutputOf: "o"}


class Contents(TypedDict):
    """What is kept."""

    key: str
    profile: str
    states: dict[str, str]
    """The state of every file, as the index has it, by path."""
    spec: dict[str, str]
    """What the spec depends on: the digest of each file that was read, or the kind of its path."""
    folders: list[str]
    """The folders of outputs that the spec asked about, which a build makes."""
    fixed: list[str]
    """The other files that no plan outlives: the lock and the settings."""
    files: list[str]
    """The sources and outputs, whether or not they are there."""
    recipes: list[bytes]
    pictures: dict[str, str]
    makers: dict[str, int]
    firsts: dict[str, int]
    users: dict[str, list[int]]
    sizes: dict[str, tuple[int, int]]
    notes: dict[str, tuple[str, ...]]
    places: list[tuple[str, int, int]]
    """Where in the lock's text the block of each asset stands."""
    keys: list[str]
    """The keys of everything that is locked."""


class Baseline:
    """A plan that had nothing to do, and what it depends on."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.profile = contents["profile"]
        self.states: Mapping[str, str] = contents["states"]
        self.spec: Mapping[str, str] = contents["spec"]
        self.folders: Sequence[str] = contents["folders"]
        self.fixed: frozenset[str] = frozenset(contents["fixed"])
        self.files: frozenset[str] = frozenset(contents["files"])
        self.notes: Mapping[str, tuple[str, ...]] = contents["notes"]
        self.pictures = cast("Mapping[str, Digest]", contents["pictures"])
        self.sizes = cast("Mapping[AssetName, Size]", contents["sizes"])
        """The size at which each master is ordered."""
        self.keys = frozenset(contents["keys"])
        self.places = {
            (AssetName(asset), self.profile): (start, end)
            for asset, start, end in contents["places"]
        }
        self.count = len(contents["recipes"])

    def recipe(self, place: int) -> Recipe:
        """Return the recipe of a step."""
        return _recipe(*marshal.loads(self._contents["recipes"][place]))  # noqa: S302 - sealed

    def maker(self, name: str) -> int | None:
        """Return the step whose output inputs call so."""
        return self._contents["makers"].get(name)

    def first(self, asset: AssetName) -> int:
        """Return the first step of an asset."""
        return self._contents["firsts"][asset]

    def users(self, name: str) -> Sequence[int]:
        """Return the steps that have an input of this name."""
        return self._contents["users"].get(name, ())


def load(project: Project) -> Baseline | None:
    """Return the baseline of a project; None if there is none for this call."""
    contents = cast("Contents | None", sealed.load(project.folder, _NAME))
    if contents is None or contents["key"] != _key(project):
        return None
    return Baseline(contents)


def keep(project: Project) -> None:
    """Keep the plan of a project that has nothing to do, as the baseline.

    Which candidate ships, and what a person decided, is for the lock to say: with these, a plan
    is always made anew.
    """
    decided = any(block.review for block in project.lock.blocks.values())
    if decided or project.seen.reviewed or any(s.recipe.takes for s in project.whole.steps):
        return
    try:
        sealed.keep(project.folder, _NAME, _contents(project))
    except ValueError:  # a recipe holds more than plain data
        return


def _contents(project: Project) -> Contents:
    steps, state = project.whole.steps, project.index.known
    written, asked = project.below_output(), project.spec_files.items()
    spec = {path: known for path, known in asked if path not in written}
    fixed = [project.lock_path.name, *project.settings_states]
    outputs = {step.recipe.output for step in steps}
    folders = written - outputs
    pictures = sorted(project.paths | outputs)
    contents = Contents(
        key=_key(project),
        profile=project.spec.profile,
        states={path: state(path) for path in (*spec, *fixed, *pictures)},
        spec=spec,
        folders=[path for path, _ in asked if path in folders],
        fixed=fixed,
        files=pictures,
        recipes=[marshal.dumps(_plain(step.recipe)) for step in steps],
        pictures={},
        makers={},
        firsts={},
        users={},
        sizes={str(name): size for name, size in project.sizes.items()},
        notes=dict(project.spec.notes),
        places=list(_places(project)),
        keys=[row.key for block in project.lock.blocks.values() for row in block.rows],
    )
    for place, step in enumerate(steps):
        contents["firsts"].setdefault(step.recipe.asset, place)
        for name in names(step.recipe):
            contents["makers"][name] = place
            contents["pictures"][name] = str(step.verdict.bytes)
        for source in step.recipe.inputs:
            contents["users"].setdefault(str(source), []).append(place)
    return contents


def _places(project: Project) -> Iterator[tuple[str, int, int]]:
    """Where the blocks of a lock with a single profile stand; nothing if they cannot stand alone."""
    spans = parts.spans(project.lock_bytes, project.lock) or {}
    if not project.lock.older and all(profile == project.spec.profile for _, profile in spans):
        yield from ((asset, start, end) for (asset, _), (start, end) in spans.items())


def _key(project: Project) -> str:
    """What the recipes depend on beside files: this program, the call and the environment."""
    own = sorted(pair for pair in os.environ.items() if pair[0].lstrip("_").startswith(_OURS))
    env_file = project.options.env_file
    call = (project.file, project.options.profile, env_file and Path(env_file).absolute())
    places = (project.journal.path, root_of(project.folder), config_path().absolute())
    everything = (_FORMAT, EDITION, sys.version, call, places, own)
    return of_bytes(repr(everything).encode())  # a variable may hold a password


def _plain(recipe: Recipe) -> tuple[Any, ...]:
    """A recipe as plain data."""
    inputs = [(_INPUTS[type(each)], *_words(each)) for each in recipe.inputs]
    return (
        recipe.asset,
        _plain_task(recipe.task),
        inputs,
        recipe.output,
        recipe.key,
        recipe.role,
    )


def _words(source: Input) -> Iterator[str]:
    if not isinstance(source, Source):
        yield source.asset
    if not isinstance(source, MasterOf):
        yield source.path


def _plain_task(task: Task) -> tuple[Any, ...]:
    match task:
        case Generate(provider, model, prompt, params, take):
            return "g", provider, model, prompt, _bare(params), take
        case Derive(ops, encoding):
            return "d", _plain_ops(ops), _bare(encoding)
        case Write(document, version, options, about):
            return "w", document, version, _bare(options), [_plain_about(each) for each in about]


def _plain_ops(ops: Sequence[Operation]) -> list[tuple[Any, ...]]:
    return [(op.op, op.version, _bare(op.params)) for op in ops]


def _bare(value: Any) -> Any:
    """JSON without the types that are more than plain, such as texts of a closed list."""
    if isinstance(value, Mapping):
        return {str(name): _bare(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_bare, value))
    return str(value) if isinstance(value, str) else value


def _plain_about(about: About) -> tuple[Any, ...]:
    return (
        about.asset,
        about.path,
        about.group,
        about.alt,
        about.title,
        about.tags,
        _bare(about.axes),
        _plain_ops(about.ops),
        about.role,
    )


def _recipe(asset: str, task: Sequence[Any], inputs: Sequence[Any], *rest: Any) -> Recipe:
    sources = tuple([_input(*each) for each in inputs])
    return Recipe(AssetName(asset), _task(*task), sources, *rest)


def _input(kind: str, first: str, second: str = "") -> Input:
    if kind == "s":
        return Source(first)
    return MasterOf(AssetName(first)) if kind == "m" else OutputOf(AssetName(first), second)


def _task(kind: str, *parts: Any) -> Task:
    if kind == "g":
        return Generate(*parts)
    if kind == "d":
        ops, encoding = parts
        return Derive(_ops(ops), encoding)
    document, version, options, about = parts
    return Write(document, version, options, tuple([_about(each) for each in about]))


def _ops(ops: Sequence[Sequence[Any]]) -> tuple[Operation, ...]:
    return tuple([Operation(*op) for op in ops])


def _about(about: Sequence[Any]) -> About:
    *head, ops, role = about
    asset, path, group, alt, title, tags, axes = head
    return About(asset, path, group, alt, title, tags, axes, _ops(ops), role)
