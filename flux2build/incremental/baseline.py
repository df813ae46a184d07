"""The last reading of a tree that needed little work, kept to judge later changes.

The file `.flux2build/baseline` is sealed like the index, and may be deleted at any time. It
holds the recipes of the spec and the state of every file that they depend on: as long as the states
are the same, so are the recipes, and the spec need not be read.
"""

from __future__ import annotations

import os
import posixpath
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from msgspec import Struct

from flux2build.assetspec.spec import Budget, Notice, unused_key
from flux2build.digest import Digest, of_bytes
from flux2build.incremental.plain_recipes import recipe_of
from flux2build.lockfile.parts import Spans
from flux2build.model import (
    Asset,
    AssetName,
    Key,
    Recipe,
)
from flux2build.planning.plan import Orphan
from flux2build.providers.pricing import Size
from flux2build.session.project import Project
from flux2build.session.settings import config_path
from flux2build.storage import fields
from flux2build.storage.disk import root_of
from flux2build.storage.edition import EDITION
from flux2build.storage.fields import Fields
from flux2build.storage.index import MISSING
from flux2build.storage.index_rows import in_order

if TYPE_CHECKING:
    from flux2build.incremental import traces

_NAME: Final = "baseline"
_FORMAT: Final = 11
UNUSED: Final = "unused"
"""The check that reports keys without effect."""
MARK: Final = "baseline"
"""The key of the index's answer with the states of a baseline."""
_OURS: Final = "FLUX2BUILD_"
_FEW: Final = 40
"""A number of assets that always counts as few."""


class Contents(TypedDict):
    """The data to keep."""

    key: str
    profile: str
    mark: str
    """The index's answer to `MARK`, if it has these states."""
    states: dict[str, str]
    """The state of every file, as the index has it, by path."""
    spec: dict[str, str]
    """The spec's dependencies: the digest of each file that was read, or the kind of its path."""
    folders: list[str]
    """The folders of outputs that the spec asked about, which a build makes."""
    fixed: list[str]
    """The other files on which every plan depends: the lock and the settings."""
    settings: str
    """The digest of the settings that it depends on."""
    files: list[str]
    """The sources and outputs of all profiles, including missing ones."""
    recipes: list[bytes]
    pictures: dict[str, str]
    makers: dict[str, int]
    steps: dict[str, list[int]]
    """The places of each asset's steps."""
    users: dict[str, list[int]]
    sizes: dict[str, tuple[int, int]]
    notes: dict[str, tuple[str, ...]]
    blocks: list[tuple[str, str]]
    """The asset and the profile of each block of the lock, in its order."""
    bounds: list[int]
    """The offsets at which each block starts, and the end of the last one."""
    marks: list[str]
    """The mark of each block, see `keeping.mark`."""
    tags: dict[str, list[str]]
    """The tags of the assets that have any."""
    drawn: dict[str, str]
    """The files of the assets that are not rendered."""
    open: list[str]
    """The assets that are always judged, because of pending work or findings."""
    metas: dict[str, str]
    """The `Asset.meta` of those assets, which the lock may not have."""
    orphans: list[tuple[str, str, str, str]]
    """The leftover files, each with its asset, profile and digest."""
    expected: dict[str, str]
    """The words that pictures have to show, by asset."""
    reviewed: list[str]
    """The assets whose pictures a person has to approve."""
    asking: list[str]
    """The assets among them whose own table asks for approval."""
    ships_approved: bool
    """Whether even an asset's own files are only made of approved pictures."""
    keys: list[str]
    """The keys of everything that is locked."""
    around: dict[str, str]
    """The other states on which the answer depends that nothing is to be done."""
    canonical: bool
    """Whether the text of the lock is known to be what a writing of all its blocks gives."""
    plain: bool
    """Whether a partial build needs only its own blocks of the lock."""
    said: dict[str, Any]
    """The table of the profile in the spec."""
    budget: dict[str, str | None]
    """The budget of the spec, in USD."""
    trace: traces.Contents | None
    """The inputs of the recipes; None if the whole spec must be read to judge an edit."""
    checks: dict[str, dict[str, Any]] | None
    """The options of the checks; None if a finding is not about a single asset."""
    idle: list[tuple[Key, str, str | None]]
    """The shared keys without effect, each with a message and a hint."""
    subjects: dict[str, str]
    """The subject of each check that is not off."""


class Baseline:
    """A plan that had little to do, and its dependencies."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents

    @property
    def profile(self) -> str:
        """The profile of the plan."""
        return self.contents["profile"]

    @property
    def states(self) -> Mapping[str, str]:
        """The states of the files that the plan depends on."""
        return self.contents["states"]

    @property
    def spec(self) -> Mapping[str, str]:
        """The dependencies of the spec."""
        return self.contents["spec"]

    @property
    def folders(self) -> Sequence[str]:
        """The folders of outputs that the spec asked about."""
        return self.contents["folders"]

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The other files on which every plan depends."""
        return frozenset(self.contents["fixed"])

    @property
    def settings(self) -> frozenset[str]:
        """The files of the settings."""
        return frozenset(self.contents["fixed"][1:])

    @property
    def files(self) -> Sequence[str]:
        """The sources and outputs."""
        return self.contents["files"]

    @property
    def around(self) -> Mapping[str, str]:
        """The other states on which the answer depends."""
        return self.contents["around"]

    @property
    def notes(self) -> Mapping[str, tuple[str, ...]]:
        """The notes about rendered pictures."""
        return self.contents["notes"]

    @property
    def pictures(self) -> Mapping[str, Digest]:
        """The digest of every output, by the names that inputs have for it."""
        return cast("Mapping[str, Digest]", self.contents["pictures"])

    @property
    def sizes(self) -> Mapping[AssetName, Size]:
        """The size at which each master is ordered."""
        return cast("Mapping[AssetName, Size]", self.contents["sizes"])

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of everything in the lock, and perhaps of former entries."""
        return frozenset(self.contents["keys"])

    @property
    def canonical(self) -> bool:
        """Whether the text of the lock is known to be what a writing of all its blocks gives."""
        return self.contents["canonical"]

    @property
    def plain(self) -> bool:
        """Whether a partial build needs only its own blocks of the lock."""
        return self.contents["plain"]

    @property
    def said(self) -> Mapping[str, Any]:
        """The table of the profile in the spec."""
        return self.contents["said"]

    @property
    def budget(self) -> Budget:
        """The budget of the spec."""
        limits = self.contents["budget"].items()
        return Budget(**{name: Decimal(usd) if usd else None for name, usd in limits})

    @property
    def checks(self) -> Mapping[str, Mapping[str, Any]] | None:
        """The options of the checks; None if a finding is not about a single asset."""
        return self.contents["checks"]

    @property
    def subjects(self) -> Mapping[str, str]:
        """The subject of each check."""
        return self.contents["subjects"]

    @cached_property
    def count(self) -> int:
        """The number of steps."""
        return len(self.contents["recipes"])

    def about(self, project: Project) -> bool:
        """Whether it is the baseline for this call."""
        return self.contents["key"] == key_of(project)

    @property
    def settled(self) -> bool:
        """Whether there was no work and no finding."""
        idle = self.contents["idle"] if UNUSED in self.subjects else ()
        return not (self.contents["open"] or self.contents["orphans"] or idle)

    @property
    def idle(self) -> tuple[Notice, ...]:
        """The notices about shared keys without effect."""
        return tuple(unused_key(*each) for each in self.contents["idle"])

    @property
    def open(self) -> Iterator[int]:
        """The steps that are always judged."""
        steps = self.contents["steps"]
        return (at for asset in self.contents["open"] for at in steps.get(asset, ()))

    @property
    def orphans(self) -> tuple[Orphan, ...]:
        """The leftover files."""
        each = self.contents["orphans"]
        return tuple(
            Orphan(AssetName(asset), of, path, Digest(sha)) for asset, of, path, sha in each
        )

    @cached_property
    def places(self) -> Spans:
        """The range of each block in the lock; empty if blocks cannot be read alone."""
        blocks = cast("list[tuple[AssetName, str]]", self.contents["blocks"])
        return dict(zip(blocks, pairwise(self.contents["bounds"]), strict=True))

    @cached_property
    def derived(self) -> frozenset[Digest]:
        """The digest of every derived output."""
        makers = self.contents["makers"].items()
        masters = {place for name, place in makers if name.startswith("asset:")}
        files = (self.pictures.get(name) for name, place in makers if place not in masters)
        return frozenset(filter(None, files))

    @property
    def sources(self) -> Iterator[str]:
        """The user's files from which recipes are made."""
        ours = "asset:", "output:"
        users = self.contents["users"].items()
        return (name for name, places in users if places and not name.startswith(ours))

    @property
    def written(self) -> Iterator[str]:
        """The paths that a build writes: outputs, and their folders."""
        ours = "output:"
        makers = self.contents["makers"]
        return chain((n.removeprefix(ours) for n in makers if n.startswith(ours)), self.folders)

    def recipe(self, place: int) -> Recipe:
        """Return the recipe of a step."""
        return recipe_of(self.contents["recipes"][place])

    def maker(self, name: str) -> int | None:
        """Return the step whose output has this name as an input."""
        return self.contents["makers"].get(name)

    @property
    def members(self) -> Mapping[str, Sequence[str]]:
        """The names of each table's assets, as declared; empty if they are unknown."""
        trace = self.contents["trace"]
        return {} if trace is None else trace["members"]

    @property
    def assets(self) -> Iterable[AssetName]:
        """The assets that have steps."""
        return cast("Iterable[AssetName]", self.contents["steps"].keys())

    def steps(self, asset: AssetName) -> Sequence[int]:
        """Return the steps of an asset."""
        return self.contents["steps"].get(asset, ())

    def readable(self, changed: Mapping[str, str]) -> frozenset[str]:
        """Return the changed files whose edits can be read without the rest of the spec."""
        others = changed.keys() - self.contents["users"].keys()
        trace = self.contents["trace"] if others else None
        if trace is None:
            return frozenset()
        readable_files = (trace["data"], trace["templates"], trace["specs"])
        changed_folders = {path for path in changed if path.endswith("/") and path in self.spec}
        perhaps_removed = {
            path
            for path in trace["data"]
            if f"{posixpath.dirname(path) or '.'}/" in changed_folders
        }
        return frozenset(
            at
            for at in others
            if (at in changed_folders or any(at in each for each in readable_files))
            and (
                changed[at].startswith("sha256:")
                or (changed[at] == MISSING and at in perhaps_removed)
            )
        )

    def rank(self, asset: AssetName) -> int:
        """Return an asset's position among others, with unknown ones last."""
        return next(iter(self.contents["steps"].get(asset, ())), self.count)

    def users(self, name: str) -> Sequence[int]:
        """Return the steps that have an input of this name."""
        return self.contents["users"].get(name, ())


class Entered(Struct, frozen=True):
    """A baseline after an edit of the spec."""

    base: Baseline
    others: frozenset[int] = frozenset()
    """The steps whose recipes, tags, alternative texts or titles have changed."""
    assets: Mapping[AssetName, Asset] = {}
    """The assets that were read again."""
    orphans: tuple[Orphan, ...] = ()
    """The files that these assets no longer make."""


def load(project: Project) -> Baseline | None:
    """Return the baseline of a project, from any call; None if there is none."""
    contents = cast("Contents | None", fields.load(project.folder, _NAME))
    return None if contents is None else Baseline(contents)


def write(project: Project, contents: Contents, like: str = "") -> None:
    """Write the baseline of a project; one that holds more than plain data is not written.

    The index has an answer `like` it with the same states, or gets a new one.
    """
    index, mark = project.index, str(time.time_ns())
    contents["mark"] = mark
    with suppress(ValueError):
        cast("Fields", contents).keep(project.folder, _NAME)
        if like:
            index.note(MARK, mark, like)
        else:
            states = {**contents["states"], **contents["around"]}
            index.remember_all([MARK], mark, in_order(states), states, set())


def few(assets: int) -> int:
    """Return how many of some assets may be open or changed before all are judged instead."""
    return max(_FEW, assets // 10)


def bounds_of(places: Spans) -> list[int]:
    """The offsets at which each block of a lock starts, and the end of the last one."""
    starts = [start for start, _ in places.values()]
    return [*starts, *([*places.values()][-1][1:])] if starts else []


def key_of(project: Project) -> str:
    """The digest of what recipes depend on besides files: program, call and environment."""
    own = sorted(pair for pair in os.environ.items() if pair[0].lstrip("_").startswith(_OURS))
    env_file = project.options.env_file
    call = (project.file, project.options.profile, env_file and Path(env_file).absolute())
    places = (project.journal.path, root_of(project.folder), config_path().absolute())
    everything = (_FORMAT, EDITION, sys.version, call, places, own)
    return of_bytes(repr(everything).encode())  # a variable may hold a password
