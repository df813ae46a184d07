"""A project as commands see it: its sources, lock, plan and findings. This only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import field
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.errors import Problem, SpecError, SystemFault, UsageError
from flux2build.ledger import Ledger
from flux2build.ledger.journal import Journal
from flux2build.lockfile.parts import Parts
from flux2build.model import AssetName, Derive, Generate, Recipe
from flux2build.planning import candidates
from flux2build.planning.finals import owners, standing
from flux2build.planning.open_orders import OpenOrder, open_orders
from flux2build.planning.plan import Plan, Step, asked, orphans, plan
from flux2build.planning.snapshot import KnownPicture, Locked, Snapshot
from flux2build.planning.verdict import Action
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Remote
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.home import readable_journal, readable_store
from flux2build.session.locked_sources import Bytes, LockedSources
from flux2build.session.sources import Sources
from flux2build.storage import regular
from flux2build.storage.disk import SPEC_NAME, find_spec, from_folder, named_spec, root_of
from flux2build.storage.index import Index
from flux2build.storage.store import Store

if TYPE_CHECKING:
    from flux2build.building.removal import Removal
    from flux2build.planning.selection import Field
    from flux2build.session.elsewhere import Elsewhere
    from flux2build.sharing.lookup import Lookup
    from flux2build.storage.git import Tracked
    from flux2build.storage.repository import Repository

EVERYTHING: Final = Choice()


class Project(LockedSources, frozen=True, eq=False, dict=True):
    """One spec with its lock and its plan.

    Each part is read when it is first asked for, and does not change afterwards.
    `reread` and `reread_lock` return a project that sees later changes.
    """

    store: Store = field(default_factory=readable_store)
    journal: Journal = field(default_factory=readable_journal)
    team: Lookup | None = None
    """The team's store, if it may be asked for what is missing here."""

    @classmethod
    def open(cls, options: CommonOptions, index: Index | None = None) -> Project:
        """Open the spec that the options name, or the nearest `assets.toml` upwards.

        An `index` of the spec's folder that was just used is used again.

        Raises:
            UsageError: there is no such spec.
        """
        path = find_spec(Path.cwd()) if options.file is None else named_spec(options.file)
        if path is None:
            near = regular.beside(Path(SPEC_NAME))
            hint = "`flux2build init` writes a starter, `-f FILE` names one elsewhere"
            hint = f"{near} `-f FILE` names a spec of another name" if near else hint
            raise UsageError(f"there is no `{SPEC_NAME}` here or above", hint=hint)
        project = cls(options, path.parent.resolve(), path.name)
        if index is not None and index.folder == str(project.folder):
            vars(project)["index"] = index
        return project

    def reread(self) -> Project:
        """The same project, with everything read again."""
        if self.team is not None:
            self.team.forget_absence()
        read, lock = vars(self), vars(self).get("_lock_as_read")
        # What was read of a lock in parts leaves out what only concerns other assets.
        whole = lock is not None and not isinstance(getattr(lock, "blocks", None), Parts)
        earlier = (self.lock_bytes, lock) if whole and "lock_bytes" in read else self.earlier
        return replace(self, earlier=earlier)

    def reread_by(self, index: Index) -> Project:
        """The same project, with everything read again except for the files that an index knows."""
        project = self.reread()
        vars(project)["index"] = index.again()
        return project

    def reread_lock(self) -> Project:
        """The same project, with its lock read again after a build has written it.

        The faults of the ledger stay the same: a build that did not ask for consent because of them
        must not buy after somebody has repaired it.
        """
        project = replace(self)
        parts = vars(Sources).items()
        lasting = {name for name, part in parts if isinstance(part, cached_property)}
        values = {name: value for name, value in vars(self).items() if name in lasting}
        vars(project).update(values, unread=self.unread)
        return project

    def snapshot(
        self, requested: frozenset[str] = frozenset(), *, refresh: bool = False
    ) -> Snapshot:
        """Read everything that planning may know.

        `requested` assets are rendered even if they are current; `refresh` derives
        files again that another encoder wrote.
        """
        from flux2build.session.approval import reviewed

        files, profile = self.files(), self.spec.profile
        targets = {path: self.tree.lfs_target(path) for path in self.paths if path in files}
        beside = self.spec.beside  # those are for whichever profile was built last
        own = [recipe for recipe in self.graph.ordered if recipe.output not in beside]
        return replace(
            self.look(profile, files, Locked.of(self.lock)),
            # The pointer of a source that Git LFS has not fetched tells the digest of the source.
            files={**files, **{path: each for path, each in targets.items() if each}},
            owners=owners(own, buys, self.lock, profile, files),
            beside=beside,
            requested=requested,
            encoders=_encoders() if refresh else {},
            metas={name: asset.meta for name, asset in self.spec.named.items()},
            reviewed=reviewed(self.spec, self.graph),
            ships_approved=self.spec.ships_approved,
        )

    def look(self, profile: str, files: Mapping[str, Digest], locked: Locked) -> Snapshot:
        """The snapshot of lock, ledger, store and git, with these files in the tree."""
        tree, in_tree = self.tree, Bytes(files)
        snapshot = Snapshot(
            profile=profile,
            files=files,
            lock=locked.lock,
            ledger=self.ledger,
            has=lambda digest: (
                digest in in_tree or self.store.has(digest) or self.elsewhere.copies.has(digest)
            ),
            buys=buys,
            unrecorded=self._unrecorded,
            purchases=locked.purchases,
            earlier=self._earlier,
            locked_files=locked.files,
            ways_back=self._ways_back,
            pointer=lambda path: tree.lfs_target(path) is not None,
            pictures=locked.pictures,
        )
        if self.team is None:
            return snapshot
        return self.team.seen(snapshot, lambda each: each in in_tree or self.store.has(each))

    @cached_property
    def consulted(self) -> dict[str, str]:
        """Files that checks have read, with their states in the index."""
        return {}

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger that the journal of orders adds up to."""
        return self.journal.ledger()

    @cached_property
    def elsewhere(self) -> Elsewhere:
        """The other places of paid pictures."""
        from flux2build.session.elsewhere import Elsewhere

        ledger, lock = (lambda: self.ledger), (lambda: self.lock)
        return Elsewhere(self.folder.resolve(), self.lock_path.name, self.index, ledger, lock)

    @property
    def repository(self) -> Repository:
        """The git repository around the project."""
        return self.elsewhere.repository

    def _earlier(self, key: Digest) -> Sequence[KnownPicture]:
        """The pictures that were bought with a key, as far as git knows."""
        return self.elsewhere.earlier.purchases(key)

    def _ways_back(self, path: str, digest: Digest | None) -> Sequence[str]:
        return self.tracked.ways_back(path, digest)

    def _unrecorded(self, key: Digest) -> bool:
        """Whether there was, or may have been, an order that the ledger does not record."""
        # While the ledger has faults nothing is bought, and its unreadable part may have the order.
        return not self.unread and (self.emptied or self.journal.unrecorded(key))

    @cached_property
    def emptied(self) -> bool:
        """Whether the ledger is lost although the store holds pictures."""
        return self.journal.emptied() and any(True for _ in self.store.digests())

    @property
    def tracked(self) -> Tracked:
        """The files that git tracks."""
        from flux2build.storage.git import Tracked

        return Tracked(root_of(self.folder), self.folder)

    def removal(self) -> Removal:
        """Decides which files in the lock may be removed."""
        from flux2build.building.removal import Removal, shared

        folders = self.spec.folders
        return Removal(
            self.kept, folders, self.tracked, self.store.has, shared(self.lock, self.tree.same)
        )

    @property
    def owes_the_team(self) -> bool:
        """Whether the team's store does not know the outcome of a claim yet."""
        return self.team is not None and bool(self.team.held)

    @cached_property
    def unread(self) -> tuple[Problem, ...]:
        """The faults of the ledger; while there are any, nothing is bought."""
        return self.journal.problems()

    @cached_property
    def ledger_faults(self) -> tuple[Problem, ...]:
        """The faults of the ledger; its loss is one only if the spec buys pictures."""
        if not self.emptied or not any(map(buys, self.spec.recipes)):
            return self.unread
        from flux2build.purchasing import evidence

        return (evidence.lost(self.journal),)

    @cached_property
    def lockless(self) -> Problem | None:
        """The problem of a missing lock, if there are pictures that the ledger does not know."""
        if self.lock_bytes:
            return None
        from flux2build.session import missing_lock

        def known(recipe: Recipe, digest: Digest) -> bool:
            return digest in recorded or (not buys(recipe) and self.store.has(digest))

        recorded = self.seen.ledger.outputs
        return missing_lock.missing(self.lock_path, self.spec.recipes, self.files(), known)

    @cached_property
    def whole(self) -> Plan:
        """The plan of a whole build."""
        return self._plan(self.seen)

    @cached_property
    def seen(self) -> Snapshot:
        """The snapshot from which the whole plan was made."""
        return self.snapshot()

    def plan(self, choice: Choice = EVERYTHING) -> Plan:
        """The plan of a build, for everything or for a choice of assets."""
        snapshot, plan = self.seen, self.whole
        if choice.force or choice.refresh or choice.further or choice.reopen:
            forced = self.select(choice.force) if choice.force else frozenset()
            candidates.refuse_forced(self.spec.recipes, forced)
            more = self.chosen(choice) if choice.further else ()
            further = dict.fromkeys(more, choice.further)
            snapshot = self.snapshot(frozenset(forced), refresh=choice.refresh)
            reopened = self.select(choice.reopen) if choice.reopen else frozenset()
            snapshot = replace(snapshot, further=further, reopened=reopened)
            plan = self._plan(snapshot)
        if choice.everything:
            return self._feasible(plan)
        # It is judged alone: an asset pays for an order that it shares with one that is left out.
        chosen = self._plan(snapshot, self.graph.closure(self.chosen(choice)))
        # Decisions about assets that are left out wait, but all paid orders are collected.
        orders = tuple(each for each in chosen.orders if each.pending or each in plan.orders)
        return replace(self._feasible(chosen), orphans=(), orders=orders)

    def _feasible(self, plan: Plan) -> Plan:
        """The plan, if a build would not refuse any step.

        Raises:
            SpecError: files or references cannot be used.
        """
        pairs = list(self.soundness.problems(plan))
        pairs = pairs or [*self.quotes.misfits(plan), *self.preflight.problems(plan)]
        if problems := [self.spec.located(problem, key) for key, problem in pairs]:
            raise SpecError(*dict.fromkeys(problems))
        return plan

    def chosen(self, choice: Choice) -> frozenset[AssetName]:
        """The assets that a choice names, without their inputs."""
        if choice.everything:
            return frozenset(self.spec.named)
        return self.select(choice.selection, choice.exclude)

    def _plan(self, snapshot: Snapshot, assets: frozenset[AssetName] | None = None) -> Plan:
        """The plan of all assets, or of some with their inputs."""
        ordered = self.graph.ordered
        recipes = [each for each in ordered if assets is None or each.asset in assets]
        bare = plan(recipes, snapshot, self.quotes.price)
        while self.team is not None and self.team.learn():
            bare = plan(recipes, snapshot, self.quotes.price)
        return self.completed(bare, snapshot)

    def completed(self, bare: Plan, snapshot: Snapshot) -> Plan:
        """A plan with its notes, leftover files, and the open orders that it does not ask for."""
        spec, blocks = self.spec, self.lock.blocks.values()
        left_over = orphans(spec.recipes, blocks, spec.wanted_profiles, spec.profile)
        orders_of_steps = asked(bare, snapshot.files) if snapshot.ledger.unsettled else {}
        orders = tuple(open_orders(snapshot.ledger, orders_of_steps, str(self.folder)))
        return replace(self.quotes.annotated(self._noted(bare)), orphans=left_over, orders=orders)

    def _noted(self, plan: Plan) -> Plan:
        """The plan with notes about the pictures that are rendered."""
        from flux2build.session import usual_models

        notes, assets = self.spec.notes, self.spec.assets

        def noted(step: Step) -> Step:
            task = step.recipe.task
            if step.verdict.action is Action.DERIVE and isinstance(task, Derive):
                return self.marked(step)
            if step.verdict.action is not Action.RENDER or step.recipe.asset not in assets:
                return step
            step = self.marked(step)
            model = usual_models.note(step, self.spec)
            own = (*notes.get(assets[step.recipe.asset].family, ()), *([model] if model else ()))
            return replace(step, notes=(*step.notes, *own)) if own else step

        return replace(plan, steps=tuple(map(noted, plan.steps)))

    def marked(self, step: Step) -> Step:
        """The step, with what is missing on this machine to make it."""
        if not (missing := "; ".join(self.missing(step.recipe.task))):
            return step
        return replace(
            step, notes=(*step.notes, f"cannot be made here: {missing}"), missing=missing
        )

    @property
    def every_open_order(self) -> tuple[OpenOrder, ...]:
        """All open orders in the ledger; none if it cannot be read."""
        try:
            ledger = self.journal.ledger()
        except SystemFault:
            return ()
        return tuple(open_orders(ledger, {}, str(self.folder)))

    @cached_property
    def others_files(self) -> str | None:
        """Another profile whose files are all in place, some of them at paths of this profile."""
        drifting = {step.recipe.output for step in self.whole.todo}
        return standing(drifting, self.seen.owners, self.lock, self.seen.files)

    def selectable(self, whole: Plan) -> Field:
        """The field from which assets are selected."""
        from flux2build.planning.selection import field_of, with_decisions

        spec, up, down = self.spec, self.graph.up, self.graph.down
        field = field_of(whole, spec.named, up, down, lambda path: spec.keeps(path) is not None)
        states, blocks = field.values["state"], self.lock.blocks.values()
        states = with_decisions(states, blocks, spec.profile, self.seen.reviewed)
        return replace(field, values={**field.values, "state": states})

    def select(
        self, words: Sequence[str], exclude: Sequence[str] = (), field: Field | None = None
    ) -> frozenset[AssetName]:
        """The assets that words select; files may be relative to the current folder."""
        from flux2build.planning.selection import select

        chosen, left_out = (
            [from_folder(self.folder, word) for word in each] for each in (words, exclude)
        )
        return select(chosen, left_out, field or self.selectable(self.whole))

    def consult(self, path: str) -> bytes | None:
        """The bytes of a file for a check; None if there is no such file."""
        self.consulted[path] = self.index.state(path)
        target = self.folder / path
        return regular.read(target) if target.is_file() else None


def buys(recipe: Recipe) -> bool:
    """Whether a recipe's picture is bought, and not drawn by an embedded provider."""
    return isinstance(recipe.task, Generate) and _sells(recipe.task.provider)


@cache
def _sells(provider: str) -> bool:
    return isinstance(PROVIDERS[provider], Remote)


def _encoders() -> dict[str, str]:
    from flux2build.images.encode import encoders

    return encoders()
