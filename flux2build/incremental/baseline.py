"""The last reading of a tree in which little was to be done, kept to judge what changes later.

It lies in `.flux2build/baseline`, sealed as the index is, and may be deleted at any time. It
holds what the spec came to and the state of every file that this depends on: as long as those
are the same, so are the recipes, and no spec has to be read.
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
"""The check that tells of keys without effect."""
MARK: Final = "baseline"
"""The answer of the index that was noted with the states of a baseline."""
_OURS: Final = "FLUX2BUILD_"
_FEW: Final = 40
"""So many assets are few in any case."""


class Contents(TypedDict):
    """What is kept."""

    key: str
    profile: str
    mark: str
    """What the index answers if it was noted with these states."""
    states: dict[str, str]
    """The state of every file, as the index has it, by path."""
    spec: dict[str, str]
    """What the spec depends on: the digest of each file that was read, or the kind of its path."""
    folders: list[str]
    """The folders of outputs that the spec asked about, which a build makes."""
    fixed: list[str]
    """The other files that no plan outlives: the lock and the settings."""
    settings: str
    """The digest of what of the settings it follows from."""
    files: list[str]
    """The sources and outputs, of other profiles, too, whether or not they are there."""
    recipes: list[bytes]
    pictures: dict[str, str]
    makers: dict[str, int]
    steps: dict[str, list[int]]
    """The places of each asset's steps."""
    users: dict[str, list[int]]
    sizes: dict[str, tuple[int, int]]
    notes: dict[str, tuple[str, ...]]
    blocks: list[tuple[str, str]]
    """The asset and the profile of each block of the lock, as they follow each other."""
    bounds: list[int]
    """Where in its text each of them starts, and where the last one ends."""
    marks: list[str]
    """What each of them can be told by from another one, and then what it says of the spec."""
    tags: dict[str, list[str]]
    """The tags of the assets that have any."""
    drawn: dict[str, str]
    """The files of the assets that are not rendered."""
    open: list[str]
    """The assets that are judged in any case: of which something is to be done, or was found."""
    metas: dict[str, str]
    """The digests of what is said of those, which the lock may not have."""
    orphans: list[tuple[str, str, str, str]]
    """The files that are left over, each with its asset, profile and digest."""
    expected: dict[str, str]
    """The words that pictures have to show, by asset."""
    reviewed: list[str]
    """The assets whose pictures a person has to approve."""
    asking: list[str]
    """Those of them that ask for it themselves."""
    ships_approved: bool
    """Whether not even an asset's own files are made of a picture that is not approved."""
    keys: list[str]
    """The keys of everything that is locked."""
    around: dict[str, str]
    """The states of whatever else the answer that nothing is to be done depends on."""
    canonical: bool
    """Whether the text of the lock is known to be what a writing of all its blocks gives."""
    plain: bool
    """Whether a build of a part needs to know no more of the lock than its own blocks."""
    said: dict[str, Any]
    """What the profile says of itself."""
    budget: dict[str, str | None]
    """What the spec allows to spend, in USD."""
    trace: traces.Contents | None
    """What the recipes were made of; None if an edit of a part takes all of the spec to judge."""
    checks: dict[str, dict[str, Any]] | None
    """What the spec says of the checks; None if one found what no asset by itself is the reason of."""
    idle: list[tuple[Key, str, str | None]]
    """The keys without effect that assets share, each with what is wrong and a hint."""
    subjects: dict[str, str]
    """What each check that is not off finds something in."""


class Baseline:
    """A plan that had little to do, and what it depends on."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents

    @property
    def profile(self) -> str:
        """The profile that it is about."""
        return self.contents["profile"]

    @property
    def states(self) -> Mapping[str, str]:
        """The states of the files that the plan depends on."""
        return self.contents["states"]

    @property
    def spec(self) -> Mapping[str, str]:
        """What the spec depends on."""
        return self.contents["spec"]

    @property
    def folders(self) -> Sequence[str]:
        """The folders of outputs that the spec asked about."""
        return self.contents["folders"]

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The other files that no plan outlives."""
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
        """The states of whatever else the answer depends on."""
        return self.contents["around"]

    @property
    def notes(self) -> Mapping[str, tuple[str, ...]]:
        """What is to be known of pictures that are rendered."""
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
        """The keys of everything that is locked, and perhaps of what was."""
        return frozenset(self.contents["keys"])

    @property
    def canonical(self) -> bool:
        """Whether the text of the lock is known to be what a writing of all its blocks gives."""
        return self.contents["canonical"]

    @property
    def plain(self) -> bool:
        """Whether a build of a part needs to know no more of the lock than its own blocks."""
        return self.contents["plain"]

    @property
    def said(self) -> Mapping[str, Any]:
        """What the profile says of itself."""
        return self.contents["said"]

    @property
    def budget(self) -> Budget:
        """What the spec allows to spend."""
        limits = self.contents["budget"].items()
        return Budget(**{name: Decimal(usd) if usd else None for name, usd in limits})

    @property
    def checks(self) -> Mapping[str, Mapping[str, Any]] | None:
        """What the spec says of the checks; None if one found what is not about assets by themselves."""
        return self.contents["checks"]

    @property
    def subjects(self) -> Mapping[str, str]:
        """What each check finds something in."""
        return self.contents["subjects"]

    @cached_property
    def count(self) -> int:
        """How many steps there are."""
        return len(self.contents["recipes"])

    def about(self, project: Project) -> bool:
        """Whether it is one for this call."""
        return self.contents["key"] == key_of(project)

    @property
    def settled(self) -> bool:
        """Whether nothing was to be done, and nothing was found."""
        idle = self.contents["idle"] if UNUSED in self.subjects else ()
        return not (self.contents["open"] or self.contents["orphans"] or idle)

    @property
    def idle(self) -> tuple[Notice, ...]:
        """What is said of the keys without effect that assets share."""
        return tuple(unused_key(*each) for each in self.contents["idle"])

    @property
    def open(self) -> Iterator[int]:
        """The steps that are judged in any case."""
        steps = self.contents["steps"]
        return (at for asset in self.contents["open"] for at in steps.get(asset, ()))

    @property
    def orphans(self) -> tuple[Orphan, ...]:
        """The files that were left over."""
        each = self.contents["orphans"]
        return tuple(
            Orphan(AssetName(asset), of, path, Digest(sha)) for asset, of, path, sha in each
        )

    @cached_property
    def places(self) -> Spans:
        """Where in the lock each block stands; nothing if they cannot stand alone."""
        blocks = cast("list[tuple[AssetName, str]]", self.contents["blocks"])
        return dict(zip(blocks, pairwise(self.contents["bounds"]), strict=True))

    @cached_property
    def derived(self) -> frozenset[Digest]:
        """The bytes of every output that is made of others."""
        makers = self.contents["makers"].items()
        masters = {place for name, place in makers if name.startswith("asset:")}
        files = (self.pictures.get(name) for name, place in makers if place not in masters)
        return frozenset(filter(None, files))

    @property
    def sources(self) -> Iterator[str]:
        """The files of the user's that recipes are made of."""
        ours = "asset:", "output:"
        users = self.contents["users"].items()
        return (name for name, places in users if places and not name.startswith(ours))

    @property
    def written(self) -> Iterator[str]:
        """What a build writes: outputs, and the folders that it makes for them."""
        ours = "output:"
        makers = self.contents["makers"]
        return chain((n.removeprefix(ours) for n in makers if n.startswith(ours)), self.folders)

    def recipe(self, place: int) -> Recipe:
        """Return the recipe of a step."""
        return recipe_of(self.contents["recipes"][place])

    def maker(self, name: str) -> int | None:
        """Return the step whose output inputs call so."""
        return self.contents["makers"].get(name)

    @property
    def members(self) -> Mapping[str, Sequence[str]]:
        """The names of each table's assets, as declared; nothing if they are not known."""
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
        """Return the files that have changed and whose edits can be read by themselves."""
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
        """Return where an asset stands among others, the unknown ones last."""
        return next(iter(self.contents["steps"].get(asset, ())), self.count)

    def users(self, name: str) -> Sequence[int]:
        """Return the steps that have an input of this name."""
        return self.contents["users"].get(name, ())


class Entered(Struct, frozen=True):
    """A baseline after an edit of the spec."""

    base: Baseline
    others: frozenset[int] = frozenset()
    """The steps whose recipes are others, or about which something else is said."""
    assets: Mapping[AssetName, Asset] = {}
    """The assets that were read again."""
    orphans: tuple[Orphan, ...] = ()
    """The files that they do not make any more."""


def load(project: Project) -> Baseline | None:
    """Return the baseline of a project, of whichever call; None if there is none."""
    contents = cast("Contents | None", fields.load(project.folder, _NAME))
    return None if contents is None else Baseline(contents)


def write(project: Project, contents: Contents, like: str = "") -> None:
    """Write the baseline of a project; one that holds more than plain data is not written.

    The index has an answer `like` it that depends on the same states, or is told of them.
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
    """Return how many of some assets may be open, or have changed, to be looked at by themselves."""
    return max(_FEW, assets // 10)


def bounds_of(places: Spans) -> list[int]:
    """Where each block of a lock starts, and where the last one ends."""
    starts = [start for start, _ in places.values()]
    return [*starts, *([*places.values()][-1][1:])] if starts else []


def key_of(project: Project) -> str:
    """What the recipes depend on beside files: this program, the call and the environment."""
    own = sorted(pair for pair in os.environ.items() if pair[0].lstrip("_").startswith(_OURS))
    env_file = project.options.env_file
    call = (project.file, project.options.profile, env_file and Path(env_file).absolute())
    places = (project.journal.path, root_of(project.folder), config_path().absolute())
    everything = (_FORMAT, EDITION, sys.version, call, places, own)
    return of_bytes(repr(everything).encode())  # a variable may hold a password
