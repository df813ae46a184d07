"""The composition root: gives one build its renderers, store, keys and lock, and runs it."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec.spec import Budget
from flux2build.building import event_loop
from flux2build.building.artifacts import Artifacts
from flux2build.building.removal import Removal, removable
from flux2build.building.report import Event, Report
from flux2build.building.runner import build
from flux2build.building.signals import heeded
from flux2build.building.toolbox import Toolbox
from flux2build.building.world import RealWorld
from flux2build.digest import Digest, short
from flux2build.errors import Flux2BuildError, SystemFault
from flux2build.extras import pip_install
from flux2build.images.documents import DOCUMENTS
from flux2build.images.ops import OPS
from flux2build.images.provenance.signing import signer_for
from flux2build.model import Derive, Generate
from flux2build.planning.plan import Plan
from flux2build.planning.reason import ReasonCode
from flux2build.planning.snapshot import Snapshot
from flux2build.planning.verdict import Action
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Embedded, Installed, Remote
from flux2build.purchasing.budget import BudgetGuard
from flux2build.purchasing.local_renderer import LocalRenderer
from flux2build.purchasing.safekeeping import Places, Safekeeping, expected_bytes
from flux2build.purchasing.spool import spool_of
from flux2build.session.bytes_at_hand import at_hand
from flux2build.session.consent import Terms, cap
from flux2build.session.project import Project, buys
from flux2build.session.standing_in import noted, replaceable
from flux2build.storage.disk import home

if TYPE_CHECKING:
    from flux2build.building.on_cluster import OnCluster
    from flux2build.images.ops.contract import Networks
    from flux2build.purchasing.remote_renderer import RemoteRenderer
    from flux2build.purchasing.renderer import Renderer
    from flux2build.purchasing.teamwork import Teamwork
    from flux2build.purchasing.weights.renderer import WeightsRenderer
    from flux2build.purchasing.weights.rendering import Rendering
    from flux2build.session.drafting import Drafting

OnStep = Callable[[str, int, int], None]
"""Called with an asset or operation, its current step, and the number of its steps."""


class Say(Protocol):
    """Tells a person something while a build runs."""

    def __call__(self, text: str, style: str = "") -> None:
        """Say a line, in a style such as `dim`."""


class Listeners(Struct, frozen=True):
    """The functions that are called while a build runs."""

    say: Say
    on_event: Callable[[Event], None]
    """Called with each step of the plan that has ended."""
    on_step: OnStep
    detail: Callable[[str], None]
    """Prints details that only `-v` shows."""


class Premises(Struct, frozen=True):
    """The data from which a build starts."""

    snapshot: Snapshot
    artifacts: Artifacts
    budget: Budget
    removal: Callable[[], Removal]
    """Decides which files may be removed; it is only called before a removal."""
    worded: frozenset[str] = frozenset()
    """The pictures in which words are expected."""
    drafting: Drafting | None = None
    """The rendering on this machine while a person edits; None if nobody does."""


def premises(project: Project, plan: Plan) -> Premises:
    """The premises of a build whose plan was made from the whole spec."""
    forced, refreshing = _forced(plan), _refreshing(plan)
    snapshot = project.seen
    if forced or refreshing:
        snapshot = project.snapshot(forced, refresh=refreshing)
    snapshot = replace(snapshot, further=plan.further, reopened=plan.reopened)
    removal, budget = project.removal(), project.spec.budget
    worded = frozenset(_worded(project, plan))
    artifacts = replaceable(at_hand(project, snapshot.files), noted(project.folder))
    return Premises(snapshot, artifacts, budget, lambda: removal, worded)


def _worded(project: Project, plan: Plan) -> Iterator[str]:
    """The pictures of a plan in which words are expected."""
    assets = project.spec.assets
    for step in plan.steps:
        if isinstance(step.recipe.task, Generate) and assets[step.recipe.asset].expect_text:
            yield step.recipe.output


def run(
    project: Project, plan: Plan, basis: Premises, terms: Terms, listeners: Listeners
) -> Report:
    """Carry out a plan in the real world.

    Raises:
        KeyboardInterrupt: the build was cancelled by a second Ctrl-C, or after its grace period.
    """
    run_all = basis.drafting.loop.run if basis.drafting else event_loop.run
    try:
        return run_all(_run(project, plan, basis, terms, listeners))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _run(
    project: Project, plan: Plan, basis: Premises, terms: Terms, listeners: Listeners
) -> Report:
    artifacts, halt, say = basis.artifacts, asyncio.Event(), listeners.say
    budget = BudgetGuard(cap(basis.budget, terms), basis.budget.per_asset, plan.high)
    async with AsyncExitStack() as stack:
        team = _teamwork(project, say)
        wiring = _Wiring(project, plan, terms, listeners, halt, budget, basis, team)
        world = await wiring.world(artifacts, stack)
        with heeded(halt, say) as signalled:
            snapshot = replace(
                basis.snapshot, has=artifacts.has, removable=removable(basis.removal, say)
            )
            try:
                report = await wiring.built(snapshot, artifacts, world)
            finally:
                for path, digest in sorted(artifacts.replaced.items()):
                    back = f"`flux2build restore {short(digest)} {shlex.quote(path)}`"
                    say(f"kept what was at {path}: {back} brings it back")
                if team is not None:
                    await team.told()
            if team is not None and not halt.is_set():
                await team.share(_made(report), artifacts.get)
        if basis.drafting is not None:
            basis.drafting.signalled = signalled.is_set()
        report.charge(budget.costs, budget.reserved, (step.recipe.asset for step in plan.steps))
        return report


def _teamwork(project: Project, say: Say) -> Teamwork | None:
    """The work of this machine in the team's store for its orders; None without a store."""
    if project.team is None:
        return None
    from flux2build.session.sharing import teamwork

    return teamwork(project, project.team.store, say)


def _made(report: Report) -> list[Digest]:
    """The files that a build has made from bought pictures."""
    bought = {recipe.asset for recipe, _ in report.done if buys(recipe)}
    return [
        digest
        for recipe, verdict in report.done
        if verdict.action is Action.DERIVE and recipe.asset in bought
        if (digest := report.placed.get(recipe.output)) is not None
    ]


def _forced(plan: Plan) -> frozenset[str]:
    """The assets to render even though they are current."""
    return frozenset(
        step.recipe.asset for step in plan.steps if step.verdict.due_to(ReasonCode.REQUESTED)
    )


def _refreshing(plan: Plan) -> bool:
    """Whether to derive files again that another encoder wrote."""
    return any(step.verdict.due_to(ReasonCode.ENCODER_CHANGED) for step in plan.steps)


def _rendering(plan: Plan) -> set[str]:
    """The providers that are to render something."""
    tasks = (step.recipe.task for step in plan.todo if step.verdict.action is Action.RENDER)
    return {task.provider for task in tasks if isinstance(task, Generate)}


class _Wiring(Struct, frozen=True):
    """Connects one build to the real world."""

    project: Project
    plan: Plan
    terms: Terms
    listeners: Listeners
    halt: asyncio.Event
    budget: BudgetGuard
    basis: Premises
    team: Teamwork | None
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nobody waits any longer for renderings on this machine."""

    async def built(self, snapshot: Snapshot, artifacts: Artifacts, world: RealWorld) -> Report:
        """Carry out the plan; while a person edits, show sketches first, and stop at an edit."""
        plan, tell, drafting = self.plan, self.listeners.on_event, self.basis.drafting
        if drafting is None:
            return await build(plan, snapshot, world, tell, self.halt)
        sketches = await drafting.sketched(plan, snapshot, artifacts, self.halt)
        for path in sketches:
            self.listeners.say(f"sketch   {path}  (stands in until it is rendered)", "dim")
        with_sketches = replace(snapshot, files={**snapshot.files, **sketches})
        async with AsyncExitStack() as stack:
            if plan.high == 0:
                await stack.enter_async_context(drafting.heeding_edits(self.halt, self.abandoned))
            report = await build(plan, with_sketches, world, tell, self.halt)
        return drafting.concluded(report, sketches)

    async def world(self, artifacts: Artifacts, stack: AsyncExitStack) -> RealWorld:
        """Files, store and lock, with a renderer for each provider that is needed."""
        project = self.project
        signer = signer_for((step.recipe for step in self.plan.todo), project.settings.value)
        keeping = self._keeping()
        cluster = await self._cluster(stack)
        renderers = await self._renderers(stack, keeping, cluster)
        deriving = await cluster.deriving() if cluster else None
        toolbox = Toolbox(
            OPS, DOCUMENTS, signer, self._networks(stack), deriving, self.listeners.say
        )
        artifacts = replace(artifacts, failed=keeping.doubt)
        return RealWorld(artifacts, project.lock_path, renderers, toolbox, self.basis.worded)

    def _networks(self, stack: AsyncExitStack) -> Networks | None:
        """Runs neural networks in a process of their own, if any step may need one."""
        tasks = (step.recipe.task for step in self.plan.steps)
        ops = {each.op for task in tasks if isinstance(task, Derive) for each in task.ops}
        if not ops:
            return None
        from flux2build.images.ops.contract import NetworkOp

        if not any(issubclass(OPS[name], NetworkOp) for name in ops):
            return None
        from flux2build.building.networks.process import NetworkProcess

        opened, halted = self.project.image_models.opened, self.halt.is_set
        networks = NetworkProcess(opened, halted, on_part=self.listeners.on_step)
        stack.callback(networks.close)
        return networks.draw

    async def _cluster(self, stack: AsyncExitStack) -> OnCluster | None:
        """The cluster that makes files, if there is one and it has work.

        Raises:
            SystemFault: it cannot be reached, or its client is not installed.
        """
        where = self.terms.cluster
        derives = any(isinstance(step.recipe.task, Derive) for step in self.plan.todo)
        drawn = (
            isinstance(PROVIDERS[name], Embedded | Installed) for name in _rendering(self.plan)
        )
        if not where or not (derives or any(drawn)):
            return None
        try:
            from flux2build.building import cluster_connection, on_cluster
            from flux2build.session import cluster_worker
        except ModuleNotFoundError as missing:
            raise SystemFault(
                f"`--cluster` needs `{missing.name}`, which is not installed",
                hint=f"`{pip_install('cluster')}`",
            ) from missing
        opened = cluster_connection.opened(
            where,
            mixed=self.terms.cluster_mixed,
            work=cluster_worker.work(step.recipe for step in self.plan.steps),
            shared=self._shared,
            say=self.listeners.detail,
        )
        return on_cluster.OnCluster(await stack.enter_async_context(opened))

    def _shared(self, digest: Digest) -> bool:
        """Whether the team's store has some bytes; False if it cannot be asked."""
        try:
            return self.project.team is not None and self.project.team.store.has(digest)
        except Flux2BuildError:
            return False

    def _keeping(self) -> Safekeeping:
        """The storage of everything that this build buys."""
        project = self.project
        bought = [step.recipe for step in self.plan.steps if step.high != 0]
        tasks = (recipe.task for recipe in bought)
        places = Places(
            project.lock_path,
            tuple(project.folder / recipe.output for recipe in bought),
            expected_bytes(task.params for task in tasks if isinstance(task, Generate)),
        )
        return Safekeeping(
            project.store, project.journal, spool_of(home()), places, self.listeners.say
        )

    async def _renderers(
        self, stack: AsyncExitStack, keeping: Safekeeping, cluster: OnCluster | None
    ) -> dict[str, Renderer]:
        """A renderer for each provider of the plan; connections are closed with the stack."""
        tasks = (step.recipe.task for step in self.plan.steps)
        renderers: dict[str, Renderer] = {}
        for name in sorted({task.provider for task in tasks if isinstance(task, Generate)}):
            provider = PROVIDERS[name]
            if isinstance(provider, Embedded):
                renderers[name] = await self._local(provider, cluster)
            elif isinstance(provider, Installed):
                renderers[name] = await self._weights(provider, stack, cluster)
            else:
                renderers[name] = remote = self._remote(provider, keeping)
                await stack.enter_async_context(remote.client)
        return renderers

    async def _local(self, provider: Embedded, cluster: OnCluster | None) -> LocalRenderer:
        """The renderer of sketches, in threads or on a cluster."""
        at_once = self.terms.jobs or (
            await cluster.slots() if cluster else 2 * (os.cpu_count() or 1)
        )
        drawing = cluster.draw if cluster else None
        slots = asyncio.Semaphore(at_once)
        return LocalRenderer(provider, self.project.store, slots, self.halt, drawing)

    async def _weights(
        self, provider: Installed, stack: AsyncExitStack, cluster: OnCluster | None
    ) -> WeightsRenderer:
        """The renderer with open weights, on the user's devices or on those of a cluster."""
        from flux2build.purchasing.weights.devices import Devices, Workers
        from flux2build.purchasing.weights.process import Worker
        from flux2build.purchasing.weights.renderer import WeightsRenderer
        from flux2build.purchasing.weights.under_way import UnderWay

        project, forced = self.project, _forced(self.plan)
        models, drafting = project.local_models, self.basis.drafting
        if drafting:
            under_way = await drafting.on(models.table.devices)
        else:
            under_way = UnderWay(Workers([Worker(device) for device in models.table.devices]))
            stack.push_async_callback(under_way.workers.close)
        under_way.on_step = self.listeners.on_step
        if cluster and cluster.far and provider.name in _rendering(self.plan):
            rendering: Rendering = await cluster.rendering(models.table.resource)
        else:
            rendering = Devices(provider, under_way.workers, models.model, models.lora_path, models)
        rows = (
            block.generated for block in project.lock.blocks.values() if block.asset not in forced
        )
        return WeightsRenderer(
            provider=provider.name,
            rendering=rendering,
            under_way=under_way,
            store=project.store,
            journal=project.journal,
            seeds={
                row.key: row.receipt.seed for row in rows if row and row.receipt.seed is not None
            },
            halt=self.halt,
            left=self.abandoned,
        )

    def _remote(self, provider: Remote, keeping: Safekeeping) -> RemoteRenderer:
        """The renderer that buys at a paid provider."""
        import dataclasses

        from flux2build.purchasing.remote_renderer import RemoteRenderer
        from flux2build.session import remote

        project = self.project
        own = remote.limits_of(project.settings, self.terms.jobs)
        webhooks, refusal = None, SystemFault(*project.unread) if project.unread else None
        try:
            webhooks = remote.webhooks_of(project.settings, provider)
        except SystemFault as fault:
            refusal = refusal or fault
            self.listeners.say(f"warning: {fault}; {fault.problems[0].hint}")
        return RemoteRenderer(
            client=remote.client_of(project.settings, provider, own, self.halt, self.listeners.say),
            books=dataclasses.replace(
                remote.books_of(
                    project, keeping, self.budget, lambda text: self.listeners.say(text, "dim")
                ),
                detail=self.listeners.detail,
            ),
            price=lambda recipe: (project.quotes.price(recipe) or (None, None))[1],
            cards=project.capabilities.cards[provider.name],
            account=remote.account_of(project.settings, provider),
            forced=_forced(self.plan),
            webhooks=webhooks,
            refusal=refusal,
            team=self.team,
        )
