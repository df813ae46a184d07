"""The plan in brief: what is to be done since the baseline, found without reading the spec.

It equals `Project.plan` without the steps that keep files. There is no such plan if that is
uncertain, or if an error needs a place in the spec.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import Final, cast

from msgspec import Struct
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.errors import Problem, UsageError
from flux2build.images.ops import OPS
from flux2build.incremental import baseline
from flux2build.incremental.baseline import Baseline, Entered
from flux2build.incremental.lock_in_parts import in_parts
from flux2build.model import Asset, AssetName, Derive, Generate, Key, Write
from flux2build.planning.open_orders import OpenOrder, open_orders
from flux2build.planning.plan import Orphan, Plan, Step, asked
from flux2build.planning.quotes import Quotes
from flux2build.planning.replan import planned_alone, replanned
from flux2build.planning.snapshot import Locked, Snapshot
from flux2build.planning.soundness import Soundness
from flux2build.planning.verdict import Action
from flux2build.session.common_options import Choice
from flux2build.session.project import Project
from flux2build.session.sources import side_by_side
from flux2build.storage.disk import DiskFiles, root_of
from flux2build.storage.index import LINKED, MISSING
from flux2build.storage.project_files import Kind

Changes = tuple[Iterable[str], Iterable[int]]
"""The changed files, and the steps with changed recipes."""

_DIGEST: Final = "sha256:"


class Brief(Struct, frozen=True):
    """A tree compared with its baseline, and the plan that follows."""

    base: Baseline
    changed: Mapping[str, str]
    """The changed files, each with its present state."""
    others: frozenset[int]
    """The steps that are always judged: those with changed recipes, and open ones."""
    snapshot: Snapshot
    plan: Plan
    orphans: tuple[Orphan, ...]
    """All leftover files, even if the plan is about some assets."""
    assets: Mapping[AssetName, Asset]
    """The assets that were read again from the spec."""
    chosen: frozenset[AssetName] | None = None
    """The assets of the plan, with their inputs; None if it is about all assets."""


def brief(project: Project, *, every: bool = False) -> Brief | None:
    """Return the plan of a whole build; None if the spec must be read to make it.

    The plan has `every` step, or only those that may change something.
    """
    base = baseline.load(project)
    return None if base is None else compared_with(project, base, every=every)


def compared_with(project: Project, base: Baseline, *, every: bool = False) -> Brief | None:
    """Return the plan since a baseline; None if the spec must be read to make it."""
    if not base.about(project):
        return None
    states = {**base.around, **base.states}
    now = project.index.differing(states, baseline.MARK, base.contents["mark"])
    if (relocked_base := _beside_the_lock(project, base, now)) is None:
        return None
    base = relocked_base
    readable = base.readable(now)
    pictures = {path: now[path] for path in now.keys() - readable - base.fixed}
    users = sum(len(base.users(path)) for path in pictures)
    comparable = _comparable(project, base, pictures) and _same_settings(project, base, now)
    locked = in_parts(project, base, users) if comparable else None
    edits = {path: now[path] for path in readable}
    entered = _as_edited(project, base, locked, edits) if locked is not None else None
    if locked is None or entered is None:
        return None
    base, others = entered.base, entered.others.union(entered.base.open)
    files = Files(base, now)
    metas = {name: asset.meta for name, asset in entered.assets.items()}
    snapshot = with_approvals(base, project.look(base.profile, files, locked), metas)
    judged = range(base.count) if every else others
    plan = compared(project, base, snapshot, (now, judged), entered.orphans)
    if plan is None or not _in_place(project, plan):
        return None
    if project.owes_the_team and not plan.drift:
        return None
    vars(project).update(conflict=None, _lock_as_read=locked.lock, sizes=base.sizes)
    return Brief(base, now, others, snapshot, plan, entered.orphans, entered.assets)


def _beside_the_lock(
    project: Project, base: Baseline, states: Mapping[str, str]
) -> Baseline | None:
    """The baseline with the current lock; None if an unknown file differs."""
    if not states.keys() <= base.states.keys():
        return None
    if (lock := project.lock_path.name) not in states:
        return base
    # Lazy: decisions and merges are rarer than edits of files.
    from flux2build.incremental.relocked import relocked

    return relocked(project, base, states[lock])


def dismiss(project: Project) -> None:
    """Undo what a plan in brief set in a project, because the build does not follow it."""
    for name in ("conflict", "_lock_as_read", "sizes"):
        vars(project).pop(name, None)


def with_approvals(
    base: Baseline, snapshot: Snapshot, metas: Mapping[AssetName, Digest]
) -> Snapshot:
    """Return a snapshot with the approvals of the spec and the digests `metas` of some assets."""
    metas = {**cast("Mapping[AssetName, Digest]", base.contents["metas"]), **metas}
    reviewed = frozenset(map(AssetName, base.contents["reviewed"]))
    ships = base.contents["ships_approved"]
    return replace(snapshot, metas=metas, reviewed=reviewed, ships_approved=ships)


class Files(Mapping[str, Digest]):
    """The digests of sources and outputs: those of a baseline, except for changed files."""

    def __init__(self, base: Baseline, changed: Mapping[str, str]) -> None:
        self._paths, self._states, self._changed = {*base.files}, base.states, changed

    def __getitem__(self, path: str) -> Digest:
        if path not in self._paths:
            raise KeyError(path)
        state = self._changed.get(path) or self._states[path]
        if not state.startswith(_DIGEST):
            raise KeyError(path)
        return Digest(state)

    @cached_property
    def _whole(self) -> dict[str, Digest]:
        states = {**self._states, **self._changed}
        states_of_files = ((path, states[path]) for path in self._paths)
        return {path: Digest(state) for path, state in states_of_files if state.startswith(_DIGEST)}

    def items(self) -> ItemsView[str, Digest]:
        """The files, each with its digest."""
        return self._whole.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)


def _as_edited(
    project: Project, base: Baseline, locked: Locked, changed: Mapping[str, str]
) -> Entered | None:
    """The baseline after an edit of a spec, its data and templates."""
    if not changed:
        return Entered(base, orphans=base.orphans)
    # Lazy: the reader of specs is imported only if a part of one is read.
    from flux2build.incremental.edited import edited

    return edited(project, base, locked.lock, changed)


def compared(
    project: Project,
    base: Baseline,
    snapshot: Snapshot,
    changed: Changes,
    orphans: tuple[Orphan, ...] = (),
) -> Plan | None:
    """Return the plan after files have changed; None if a step of it is impossible."""
    return _Comparison(project, base, snapshot).plan(changed, orphans)


def narrowed(project: Project, comparison: Brief, choice: Choice) -> Brief | None:
    """Return the plan for a choice of assets; None if the spec must be read to make it.

    Raises:
        UsageError: the choice names something that does not exist.
    """
    if choice.everything and not choice.force:
        return comparison
    # Lazy: names are needed only if the command line has some.
    from flux2build.incremental.names_in_brief import Names, UnknownError

    names = Names(comparison.base, comparison.plan, comparison.snapshot)
    words = (*choice.selection, *choice.exclude, *choice.force)
    try:
        field = names.field(words)
        forced = project.select(choice.force, (), field) if choice.force else frozenset()
        chosen = project.select(choice.selection, choice.exclude, field)
    except UnknownError:
        return None
    forcing = _forcing(project, comparison, forced) if forced else comparison
    if forcing is None or choice.everything:
        return forcing
    return _alone(project, forcing, names.closure(chosen))


def _forcing(project: Project, comparison: Brief, forced: frozenset[AssetName]) -> Brief | None:
    """The plan if some pictures are rendered again; None if that is refused."""
    base, places = comparison.base, {at for name in forced for at in comparison.base.steps(name)}
    if any(base.recipe(at).takes for at in places):
        return None
    snapshot, others = replace(comparison.snapshot, requested=forced), comparison.others | places
    judged = range(base.count) if comparison.plan.kept == 0 else others
    plan = compared(project, base, snapshot, (comparison.changed, judged), comparison.orphans)
    if plan is None:
        return None
    return replace(comparison, snapshot=snapshot, others=others, plan=plan)


def _alone(project: Project, comparison: Brief, assets: frozenset[AssetName]) -> Brief | None:
    """The plan for some assets by themselves."""
    alone = _Comparison(project, comparison.base, comparison.snapshot).plan_of(assets)
    if alone is None:
        return None
    orders = tuple(each for each in alone.orders if each.pending or each in comparison.plan.orders)
    return replace(comparison, plan=replace(alone, orders=orders), chosen=assets)


def _comparable(project: Project, base: Baseline, now: Mapping[str, str]) -> bool:
    """Whether only pictures differ, so that the recipes are the same."""
    if LINKED in now.values() or project.unread or project.emptied:
        return False
    folders = {Kind.FOLDER, Kind.MISSING}
    if not all(project.tree.kind(path) in folders for path in base.folders):
        return False
    return all(_same(project, base, path, state) for path, state in now.items())


def _same_settings(project: Project, base: Baseline, now: Mapping[str, str]) -> bool:
    """Whether changed files of settings, if any, leave the decisive settings the same."""
    differing = base.settings & now.keys()
    if not differing:
        return True
    try:
        same = project.settings.decisive == base.contents["settings"]
    except UsageError:  # reading everything meets the error, too
        return False
    return same and all(project.settings_states.get(path) == now[path] for path in differing)


def _same(project: Project, base: Baseline, path: str, state: str) -> bool:
    """Whether a changed file is just a picture to the spec, which does not depend on its content."""
    if base.spec.get(path, Kind.FILE) != Kind.FILE:
        return False
    maker = base.maker(f"output:{path}")
    if maker is not None:  # line ends of documents do not count
        document = isinstance(base.recipe(maker).task, Write)
        return not document and (state == MISSING or state.startswith(_DIGEST))
    if path not in base.spec and not base.users(path):
        return True  # no recipe and no reading depends on a file that is only locked
    is_file = state.startswith(_DIGEST) and project.tree.kind(path) is Kind.FILE
    return is_file and project.tree.lfs_target(path) is None


def _in_place(project: Project, plan: Plan) -> bool:
    """Whether no folder of the files to make is a link."""
    folders = {posixpath.join(posixpath.dirname(step.recipe.output), "-") for step in plan.todo}
    return all(project.tree.real(path) == path for path in folders)


class _Comparison:
    """Compares a tree with its baseline."""

    def __init__(self, project: Project, base: Baseline, snapshot: Snapshot) -> None:
        self._project, self._base, self._snapshot = project, base, snapshot
        # Files that are read to judge a plan are not dependencies of the spec.
        read = DiskFiles(project.folder, root_of(project.folder)).read
        self._soundness = Soundness(OPS, read, snapshot.files.get, project.judged, side_by_side)
        cards = project.capabilities.cards
        self._quotes = Quotes(cards, base.sizes, read, self._soundness.size)

    def plan(self, changed: Changes, orphans: tuple[Orphan, ...]) -> Plan | None:
        """The plan; None if it is impossible."""
        price = self._quotes.price
        bare = self._planned(lambda: replanned(self._base, *changed, self._snapshot, price))
        return self._feasible(bare, orphans)

    def plan_of(self, assets: Iterable[AssetName]) -> Plan | None:
        """The plan for some assets by themselves; None if it is impossible."""
        names, price = frozenset(assets), self._quotes.price
        bare = self._planned(lambda: planned_alone(self._base, names, self._snapshot, price))
        return self._feasible(bare, ())

    def _planned(self, plan: Callable[[], Plan]) -> Plan:
        """The plan, made again as long as the team's store has new answers."""
        bare = plan()
        while self._project.team is not None and self._project.team.learn():
            bare = plan()
        return bare

    def _feasible(self, bare: Plan, orphans: tuple[Orphan, ...]) -> Plan | None:
        noted = replace(bare, steps=tuple(map(self._noted, bare.steps)))
        orders = tuple(self._orders(bare))
        plan = replace(self._quotes.annotated(noted), orphans=orphans, orders=orders)
        problems = (
            self._soundness.problems(plan),
            self._quotes.misfits(plan),
            self._underivable(plan),
        )
        return None if any(True for _ in chain.from_iterable(problems)) else plan

    def _underivable(self, plan: Plan) -> Iterator[tuple[Key, Problem]]:
        """The files that are to be derived or written but cannot be."""
        if all(step.verdict.action is not Action.DERIVE for step in plan.steps):
            return
        from flux2build.images.documents import DOCUMENTS
        from flux2build.planning.preflight import Preflight

        names = {step.recipe.asset for step in plan.steps}
        sizes = {name: self._base.sizes[name] for name in names & self._base.sizes.keys()}
        judged = self._project.judged
        yield from Preflight(OPS, DOCUMENTS, self._soundness, sizes, judged).problems(plan)

    def _orders(self, plan: Plan) -> Iterator[OpenOrder]:
        """The open orders that no step asks for."""
        ledger, orders = self._snapshot.ledger, dict[Digest, Generate]()
        if ledger.unsettled:
            orders = asked(plan, self._snapshot.files, self._base.pictures)
        return open_orders(ledger, orders, str(self._project.folder))

    def _noted(self, step: Step) -> Step:
        """A step with the notes about its file: those of the spec, and what is missing."""
        task, action = step.recipe.task, step.verdict.action
        if action is Action.DERIVE and isinstance(task, Derive):
            return self._project.marked(step)
        if action is not Action.RENDER:
            return step
        step, own = self._project.marked(step), self._base.notes.get(str(step.recipe.key[1]), ())
        return replace(step, notes=(*step.notes, *own)) if own else step
