"""A project as commands see it: spec, graph, lock, plan and findings; it only reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Final

from flux2build.assetspec import Spec, load
from flux2build.assetspec.capabilities import Capabilities
from flux2build.checks.contract import CHECKS, Facts, Finding, Options, weighed
from flux2build.digest import Digest, of_bytes
from flux2build.errors import Problem, SpecError, UsageError
from flux2build.images.encode import encoders
from flux2build.ledger import Ledger, fold
from flux2build.ledger.journal import Journal
from flux2build.lockfile import Lockfile, conflict_line, decoded, loads, sides
from flux2build.model import AssetName, Key, Recipe, Source
from flux2build.planning.graph import Graph
from flux2build.planning.plan import Plan, orphans, plan, reconciled
from flux2build.planning.quotes import Quotes, masters
from flux2build.planning.selection import Field, field_of, select
from flux2build.planning.verdict import Snapshot, known
from flux2build.providers.models import Models
from flux2build.session.common_options import CommonOptions
from flux2build.session.settings import Settings, config_path
from flux2build.session.settings import read as read_settings
from flux2build.storage import durable
from flux2build.storage.disk import DiskFiles, find_spec, home, named_spec, root_of
from flux2build.storage.index import Index
from flux2build.storage.store import Store

SPEC_NAME: Final = "assets.toml"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which assets a command is about; everything when nothing is named."""

    selection: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    refresh: bool = False
    """Whether derived files that another encoder wrote are made again."""

    @property
    def everything(self) -> bool:
        """Whether nothing was named at all."""
        return not (self.selection or self.exclude)


EVERYTHING: Final = Choice()


def user_journal() -> Journal:
    """Every order that was ever placed on this machine."""
    return Journal(home() / "ledger.jsonl")


class Project:
    """One spec with its lock, its tree, the ledger and the store; each read at most once."""

    def __init__(self, options: CommonOptions, path: Path) -> None:
        self.options = options
        self.folder, self.file = path.parent, path.name
        self._consulted: dict[str, str] = {}

    @classmethod
    def open(cls, options: CommonOptions) -> Project:
        """The project of a spec that was named, or of the nearest `assets.toml` upwards.

        Raises:
            UsageError: there is none.
        """
        if options.file is not None:
            return cls(options, named_spec(options.file))
        found = find_spec(Path.cwd())
        if found is None:
            raise UsageError(
                Problem(
                    f"there is no `{SPEC_NAME}` here or above",
                    hint="`flux2build init` writes a starter, `-f FILE` names one elsewhere",
                )
            )
        return cls(options, found)

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the spec may ask for."""
        return Capabilities(Models(self.settings.cards), CHECKS)

    @cached_property
    def settings(self) -> Settings:
        """What belongs to the user: keys, endpoints, prices of their own."""
        return read_settings(self.options.env_file)

    @cached_property
    def tree(self) -> DiskFiles:
        """The project's files, as the spec may read them."""
        return DiskFiles(self.folder, root_of(self.folder))

    @cached_property
    def index(self) -> Index:
        """The stat cache beside the spec."""
        return Index.load(str(self.folder))

    @cached_property
    def store(self) -> Store:
        """Every picture that was ever bought on this machine."""
        return Store(home() / "store")

    @cached_property
    def journal(self) -> Journal:
        """Every order that was ever placed on this machine."""
        return user_journal()

    @property
    def ledger(self) -> Ledger:
        """What the journal adds up to."""
        return fold(self.journal.read())

    @cached_property
    def spec(self) -> Spec:
        """What the user wants, resolved.

        Raises:
            SpecError: all that is wrong with it, together.
        """
        return load(self.tree, self.file, self.options.profile, self.capabilities)

    @cached_property
    def graph(self) -> Graph:
        """Who is made of what.

        Raises:
            SpecError: assets need each other in a circle.
        """
        graph = Graph(self.spec.recipes)
        if circle := graph.cycle:
            key = self.spec.assets[circle[0]].key
            path = " -> ".join(f"`{name}`" for name in circle)
            raise SpecError(
                self.spec.problem(
                    key,
                    f"assets need each other in a circle: {path}",
                    hint="take one of these references away",
                )
            )
        return graph

    @property
    def lock_path(self) -> Path:
        """`assets.lock`, beside the spec and named like it."""
        return self.folder / Path(self.file).with_suffix(".lock").name

    @cached_property
    def lock(self) -> Lockfile:
        """What is locked; empty before the first build.

        Both sides of a merge conflict are reconciled by what the spec wants.

        Raises:
            LockError: it is damaged, or newer than this flux2build.
        """
        text, name = self._lock_text, self.lock_path.name
        if not text:
            return Lockfile()
        if not self.conflicted:
            return loads(text, name)
        ours, theirs = sides(text, name)
        wanted = dict(self._other_profiles(ours, theirs))
        wanted[self.spec.profile] = self.graph.ordered
        return reconciled(wanted, ours, theirs, self._digests(wanted.values(), (ours, theirs)))

    def _other_profiles(self, *locks: Lockfile) -> Iterator[tuple[str, Sequence[Recipe]]]:
        """What the spec wants in the other profiles of some locks, as far as it can be read."""
        for profile in sorted({profile for lock in locks for _, profile in lock.blocks}):
            if profile != self.spec.profile and profile in self.spec.wanted_profiles:
                with suppress(SpecError):
                    graph = Graph(load(self.tree, self.file, profile, self.capabilities).recipes)
                    yield profile, () if graph.cycle else graph.ordered

    @cached_property
    def conflicted(self) -> bool:
        """Whether a merge left its markers in the lock."""
        return self.conflict is not None

    @property
    def conflict(self) -> int | None:
        """The line of the lock at which a merge left its first marker."""
        return conflict_line(self._lock_text)

    @cached_property
    def _lock_bytes(self) -> bytes:
        try:
            return self.lock_path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise durable.fault("read", self.lock_path.name, error) from error

    @cached_property
    def _lock_text(self) -> str:
        """The lock as it is written, whatever git made of its line ends."""
        return decoded(self._lock_bytes, self.lock_path.name).replace("\r\n", "\n")

    def seen(self, requested: frozenset[str] = frozenset(), *, refresh: bool = False) -> Snapshot:
        """All that planning may know, read now."""
        files = self._files()
        in_tree = set(files.values())
        targets = {path: self.tree.lfs_target(path) for path in self._sources() if path in files}
        return Snapshot(
            profile=self.spec.profile,
            # A source that Git LFS has not fetched is known by the digest in its pointer.
            files=files | {path: target for path, target in targets.items() if target},
            lock=self.lock,
            ledger=self.ledger,
            has=lambda digest: digest in in_tree or self.store.has(digest),
            pointer=lambda path: self.tree.lfs_target(path) is not None,
            requested=requested,
            encoders=encoders() if refresh else {},
            made=known(self.lock),
            metas={name: asset.meta for name, asset in self.spec.assets.items()},
        )

    def _files(self) -> dict[str, Digest]:
        """Digests of every source and output, through the stat cache."""
        return self._digests((self.spec.recipes,), (self.lock,))

    def _sources(self) -> set[str]:
        return {s.path for r in self.spec.recipes for s in r.inputs if isinstance(s, Source)}

    def _digests(
        self, wanted: Iterable[Sequence[Recipe]], locks: Iterable[Lockfile]
    ) -> dict[str, Digest]:
        paths: set[str] = set()
        for recipe in chain.from_iterable(wanted):
            paths.add(recipe.output)
            paths |= {source.path for source in recipe.inputs if isinstance(source, Source)}
        for block in (block for lock in locks for block in lock.blocks.values()):
            # The lock may come from a stranger: what it says lies elsewhere is not looked at.
            told = {row.output.path for row in block.rows} - paths
            paths |= {path for path in told if self.tree.inside(path)}
        found = {path: self.index.digest(path) for path in sorted(paths)}
        return {path: Digest(digest) for path, digest in found.items() if digest is not None}

    @cached_property
    def whole(self) -> Plan:
        """What a build of everything would do."""
        return self._plan(self._seen)

    @cached_property
    def _seen(self) -> Snapshot:
        return self.seen()

    def plan(self, choice: Choice = EVERYTHING) -> Plan:
        """What a build would do, for everything or for a choice of assets."""
        seen, made = self._seen, self.whole
        if choice.force or choice.refresh:
            forced = select(choice.force, (), self.field(made)) if choice.force else frozenset()
            seen = self.seen(frozenset(forced), refresh=choice.refresh)
            made = self._plan(seen)
        if choice.everything:
            return made
        # Judged by itself: who would share the order of an asset that is left out pays for it.
        chosen = self.graph.closure(self.chosen(choice))
        return replace(self._plan(seen, chosen), orphans=())

    def chosen(self, choice: Choice) -> frozenset[AssetName]:
        """The assets that a choice names, without what they are made of."""
        if choice.everything:
            return frozenset(self.spec.named)
        return select(choice.selection, choice.exclude, self.field(self.whole))

    def _plan(self, seen: Snapshot, assets: frozenset[AssetName] | None = None) -> Plan:
        """The plan of all assets, or of some with what they are made of."""
        ordered = self.graph.ordered
        recipes = [each for each in ordered if assets is None or each.asset in assets]
        made = plan(recipes, seen, self.quotes.price)
        if wrong := [self._placed(*misfit) for misfit in self.quotes.misfits(made)]:
            raise SpecError(*dict.fromkeys(wrong))
        spec, blocks = self.spec, self.lock.blocks.values()
        left = orphans(spec.recipes, blocks, spec.wanted_profiles, spec.profile)
        return replace(self.quotes.annotated(made), orphans=left)

    def _placed(self, key: Key, problem: Problem) -> Problem:
        return self.spec.problem(key, problem.message, problem.rows, problem.hint)

    @cached_property
    def quotes(self) -> Quotes:
        """What orders will cost, and what becomes of their references."""
        return Quotes(self.capabilities.cards, masters(self.spec.recipes), self.tree.read)

    def field(self, whole: Plan) -> Field:
        """What a selection can be made from."""
        return field_of(whole, self.spec.named, self.graph.up, self.graph.down)

    def findings(self, choice: Choice = EVERYTHING) -> list[Finding]:
        """What all checks have to say, in the order of building: causes before consequences."""
        cards = self.capabilities.cards
        facts = Facts(self.spec, self.whole, self.lock, self.consult, self.conflict, cards)
        found = list(weighed(CHECKS, facts, self.spec.checks, self._left_alone))
        if not choice.everything:
            chosen = self.graph.closure(self.chosen(choice))
            found = [finding for finding in found if not finding.asset or finding.asset in chosen]
        order = list(dict.fromkeys(step.recipe.asset for step in self.whole.steps))
        rank = {asset: number for number, asset in enumerate(order)}
        return sorted(found, key=lambda f: rank.get(f.asset, len(rank)) if f.asset else -1)

    def _left_alone(self, check: str, options: Options) -> frozenset[AssetName]:
        """The assets that a check's `exclude` names."""
        if not options.exclude:
            return frozenset()
        try:
            return select(options.exclude, (), self.field(self.whole))
        except UsageError as error:
            key = ("checks", check, "exclude")
            problems = (self.spec.problem(key, p.message, p.rows, p.hint) for p in error.problems)
            raise SpecError(*problems) from error

    def inputs(self) -> list[Path]:
        """Every file that the spec read or looked for, and nothing that a build writes."""
        ours = self._below_output() if "spec" in self.__dict__ else set()
        outputs = {self.lock_path, *(self.folder / path for path in ours)}
        asked = (Path(os.path.normpath(self.folder / path)) for path in self.tree.asked)
        return [path for path in asked if path not in outputs]

    def judged(self, made: Plan) -> dict[str, str]:
        """All that the verdicts of a clean plan depend on: by path, what was there."""
        rows = [row for block in self.lock.blocks.values() for row in block.rows]
        outputs = {row.output.path: row.output.sha256 for row in rows}
        wanted = {step.recipe.output: outputs[step.recipe.output] for step in made.steps}
        sources = self._files()
        lock = of_bytes(self._lock_bytes)
        # An order that is under way in another tree is collected in this one as well.
        outside = (str(config_path()), str(self.journal.path))
        made_by_us = self._below_output()
        return {
            **{path: was for path, was in self.tree.asked.items() if path not in made_by_us},
            **self._consulted,
            **{path: sources[path] for path in self._sources()},
            **wanted,
            self.lock_path.name: lock,
            **{path: self.index.state(path) for path in outside},
        }

    def _below_output(self) -> set[str]:
        """Outputs and their folders: a build makes them, so what was there before says nothing."""
        paths = (PurePosixPath(recipe.output) for recipe in self.spec.recipes)
        return {str(each) for path in paths for each in (path, *path.parents)}

    def consult(self, path: str) -> bytes | None:
        """The bytes of a file that a check looks into; None when there is none."""
        self._consulted[path] = self.index.state(path)
        target = self.folder / path
        return target.read_bytes() if target.is_file() else None

    def reread_lock(self) -> None:
        """Read the lock anew, as a build has just left it."""
        for name in ("lock", "_lock_bytes", "_lock_text", "conflicted", "whole", "_seen"):
            self.__dict__.pop(name, None)

    def forget(self) -> None:
        """Look at everything anew the next time it is asked for."""
        self._consulted.clear()
        for name in (
            "spec",
            "graph",
            "lock",
            "_lock_bytes",
            "_lock_text",
            "conflicted",
            "whole",
            "_seen",
            "tree",
            "index",
            "quotes",
        ):
            self.__dict__.pop(name, None)
