"""The composition root: wires the real world to the pure core, and runs builds.

What a command does not need is not imported: this is the one module with
function-local imports.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

import click

from flux2build import digest
from flux2build.console import plan_view
from flux2build.errors import BudgetError, Exit, Flux2BuildError, Problem
from flux2build.model import AssetName, Generate
from flux2build.planning.plan import Plan
from flux2build.planning.reason import ReasonCode
from flux2build.planning.verdict import Action, Snapshot
from flux2build.session.common_options import CommonOptions
from flux2build.session.families import documents_by_name, ops_by_name, providers_by_name
from flux2build.session.project import Choice, Project
from flux2build.storage.index import answer_key

if TYPE_CHECKING:
    import asyncio

    from flux2build.building.runner import Event, Report
    from flux2build.building.world import RealWorld, Renderer
    from flux2build.providers.contract import Remote
    from flux2build.purchasing import remote_renderer
    from flux2build.purchasing.budget import BudgetGuard


class _Usd(click.ParamType[Decimal]):
    """An amount of money, exact."""

    name = "usd"

    def convert(
        self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """A decimal of at least 0, with or without `$`."""
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            self.fail(f"`{value}` is no amount in USD; write it like 2.50", param, ctx)
        if not amount.is_finite() or amount < 0:
            self.fail(f"`{value}` is no amount in USD; write it like 2.50", param, ctx)
        return amount


USD: Final = _Usd()


@dataclass(frozen=True, slots=True)
class Terms:
    """How a build may proceed: how many at once, what it may spend, how long it waits."""

    jobs: int | None = None
    yes: bool = False
    max_cost: Decimal | None = None
    lock_timeout: float | None = None


def build(project: Project, choice: Choice, terms: Terms) -> Exit:
    """Plan, confirm, build and report, alone in this tree.

    Nobody waits for the tree while a person reads a plan; what that person agreed
    to is planned again, and asked about again if it has become something else.
    """
    agreed: dict[AssetName, object] = {}
    while True:
        with alone(project, terms):
            project.forget()
            made = project.plan(choice)
            if agreed_to(project, made, terms) or _bill(made).items() <= agreed.items():
                return carry_out(project, choice, made, terms)
        _ask(project, made)
        agreed = _bill(made)


def alone(project: Project, terms: Terms) -> AbstractContextManager[None]:
    """Keep other builds out of this tree, from before the plan until it is carried out."""
    from flux2build.building.run_lock import held

    return held(project.folder, "flux2build build", terms.lock_timeout, project.console.say)


def carry_out(project: Project, choice: Choice, made: Plan, terms: Terms) -> Exit:
    """Build and report what was planned, and agreed to, alone in this tree."""
    if project.conflicted:
        _reconcile(project)
    report = _built(project, made, terms)
    return _conclude(project, choice, made, report)


def _bill(made: Plan) -> dict[AssetName, object]:
    """What may be ordered, and for how much."""
    return {
        step.recipe.asset: (step.recipe, step.verdict.key, step.high)
        for step in made.steps
        if step.high
    }


def _reconcile(project: Project) -> None:
    """Write what both sides of a merge of the lock come to; this spends nothing."""
    from flux2build import lockfile
    from flux2build.storage import disk

    disk.replace(project.lock_path, lockfile.dumps(project.lock).encode())
    project.console.say(f"reconciled both sides of {project.lock_path.name}")
    project.reread_lock()


def agreed_to(project: Project, made: Plan, terms: Terms) -> bool:
    """Whether a plan may be paid for without asking.

    The spec may limit what is spent, and say what is too little to ask a person
    about. It agrees to nothing: it may be a stranger's.

    Raises:
        BudgetError: over a cap, without a price, or nobody is there to agree.
    """
    budget, high = project.spec.budget, made.high
    if high is None:
        raise _unpriced(made)
    if high == 0:
        return True
    most = cap(project, terms)
    if most is not None and made.low > most:
        raise BudgetError(
            Problem(
                f"this build costs {plan_view.span(made.low, high)}, "
                f"more than the cap of {plan_view.money(most)}",
                hint="select fewer assets, or raise `--max-cost` or `[budget] per_run`",
            )
        )
    if terms.yes or terms.max_cost is not None:
        return True
    if not sys.stdin.isatty():
        raise BudgetError(
            Problem(
                f"this build costs {plan_view.span(made.low, high)}, "
                "and nobody is here to confirm it",
                hint="add `--yes`, or a cap with `--max-cost USD`",
            )
        )
    return budget.confirm_above is not None and high <= budget.confirm_above


def _unpriced(made: Plan) -> BudgetError:
    names = ", ".join(f"`{step.recipe.asset}`" for step in made.steps if step.high is None)
    return BudgetError(
        Problem(
            f"no price is known for {names}",
            hint="put a price on the model's card in your own configuration; "
            "`flux2build models` lists what is known",
        )
    )


def _ask(project: Project, made: Plan) -> None:
    """Show a plan and let a person agree to its price.

    Raises:
        BudgetError: they do not.
    """
    for line in plan_view.lines(made):
        project.console.say(line)
    price = plan_view.span(made.low, made.high)
    if not click.confirm(f"Spend {price}?", default=False, err=True):
        raise BudgetError(Problem("not confirmed; nothing was ordered"))


def _built(project: Project, made: Plan, terms: Terms) -> Report:
    import asyncio

    from flux2build.building.runner import Report
    from flux2build.console.build_view import BuildView
    from flux2build.console.progress import progress

    if not any(step.verdict.reasons for step in made.steps):
        return Report(done=[(step.recipe, step.verdict) for step in made.steps])
    with progress(project.console) as bar:
        task = bar.add_task("building", total=len(made.todo))
        narrator = BuildView(project.console, project.spec)

        def told(event: Event) -> None:
            if event.verdict.action is not Action.KEEP:
                bar.advance(task)
            narrator.tell(event)

        try:
            return asyncio.run(_run(project, made, terms, told))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _run(project: Project, made: Plan, terms: Terms, told: Callable[[Event], None]) -> Report:
    import asyncio

    from flux2build.building.runner import build as run
    from flux2build.building.signals import heeded

    seen, halt = project.seen(forced(made), refresh=_refreshing(made)), asyncio.Event()
    async with AsyncExitStack() as stack:
        world = await _Outfit(project, made, terms, halt).world(seen, stack)
        with heeded(halt, project.console.say):
            return await run(made, seen, project.spec.named, world, told)


def forced(made: Plan) -> frozenset[str]:
    """The assets that are asked for even though they are current."""
    return frozenset(
        step.recipe.asset for step in made.steps if step.verdict.due_to(ReasonCode.REQUESTED)
    )


def _refreshing(made: Plan) -> bool:
    """Whether files of other encoders are to be made again."""
    return any(step.verdict.due_to(ReasonCode.ENCODER_CHANGED) for step in made.steps)


@dataclass(frozen=True, slots=True)
class _Outfit:
    """What one build takes of the real world."""

    project: Project
    made: Plan
    terms: Terms
    halt: asyncio.Event

    async def world(self, seen: Snapshot, stack: AsyncExitStack) -> RealWorld:
        """Files, store and lock, with a market for each provider that is needed."""
        from flux2build.building.world import Artifacts, RealWorld, Toolbox
        from flux2build.images.provenance.signing import signer_for
        from flux2build.lockfile import Generated

        project, paths = self.project, {digest: path for path, digest in seen.files.items()}
        rows = [row for block in project.lock.blocks.values() for row in block.rows]
        derived = (row.output for row in rows if not isinstance(row, Generated))
        free = frozenset(output.sha256 for output in derived if not output.unsigned)
        stock = Artifacts(project.folder, project.store, paths, free)
        seal = signer_for((step.recipe for step in self.made.todo), project.settings.value)
        markets = await self._markets(stack)
        skills = Toolbox(ops_by_name(), documents_by_name())
        return RealWorld(stock, project.lock_path, markets, skills, self.halt, seal)

    async def _markets(self, stack: AsyncExitStack) -> dict[str, Renderer]:
        import asyncio

        from flux2build.providers.contract import Embedded
        from flux2build.purchasing.budget import BudgetGuard
        from flux2build.purchasing.local_renderer import LocalRenderer

        project, terms, providers = self.project, self.terms, providers_by_name()
        slots = asyncio.Semaphore(terms.jobs or 2 * (os.cpu_count() or 1))
        budget = BudgetGuard(cap(project, terms), project.spec.budget.per_asset, self.made.high)
        tasks = (step.recipe.task for step in self.made.steps)
        found: dict[str, Renderer] = {}
        for name in sorted({task.provider for task in tasks if isinstance(task, Generate)}):
            provider = providers[name]
            if isinstance(provider, Embedded):
                place, journal = str(project.folder), project.journal
                found[name] = LocalRenderer(
                    provider, project.store, journal, place, slots, self.halt
                )
            else:
                found[name] = renderer = self._remote_renderer(provider, budget)
                await stack.enter_async_context(renderer.client)
        return found

    def _remote_renderer(
        self, provider: Remote, budget: BudgetGuard
    ) -> remote_renderer.RemoteRenderer:
        """Buys at a paid provider; its key comes from the user, never from the spec."""
        from flux2build.purchasing.http import Client, ClientDeps, Key, limits
        from flux2build.purchasing.remote_renderer import RemoteRenderer

        project = self.project
        secret = project.settings.value(provider.key_variable)
        key = Key(secret, provider.key_variable) if secret else None
        endpoint = project.settings.value(provider.url_variable) or None
        proxy = project.settings.proxy(endpoint or provider.endpoint)
        own = limits(project.settings.limits, project.settings.file, self.terms.jobs)
        return RemoteRenderer(
            client=Client(provider, key, endpoint, own, ClientDeps(proxy=proxy, halt=self.halt)),
            store=project.store,
            journal=project.journal,
            budget=budget,
            project=str(project.folder),
            price=lambda recipe: (project.quotes.price(recipe) or (None, None))[1],
            say=lambda text: project.console.say(text, "dim"),
            cards=project.catalog.cards[provider.name],
            account=digest.short(digest.of_bytes(secret.encode())) if secret else "",
            forced=forced(self.made),
        )


def cap(project: Project, terms: Terms) -> Decimal | None:
    """The most that one run may spend, in USD; None without any cap."""
    caps = (terms.max_cost, project.spec.budget.per_run)
    return min((amount for amount in caps if amount is not None), default=None)


def _conclude(project: Project, choice: Choice, made: Plan, report: Report) -> Exit:
    """Sum up what was done, in one line or in JSON, and remember a clean tree."""
    from flux2build.console import build_view

    if project.options.json:
        project.console.json(build_view.as_json(report))
    done = [verdict for _, verdict in report.done if verdict.reasons]
    if done or report.failures or report.blocked:
        project.reread_lock()
    idle = not report.exit and not made.drift
    project.console.say(plan_view.footer(made) if idle else build_view.summary(report))
    if report.interrupted:
        project.console.say("interrupted; the next build goes on from here")
    if not report.exit and choice.everything and not made.orphans:
        remember(project)
    if made.orphans and choice.everything:
        project.console.say(
            f"{plan_view.left_over(len(made.orphans))}; `flux2build prune` removes them"
        )
    return report.exit


def show_plan(project: Project, made: Plan) -> None:
    """Print a plan on stdout, as text or as the documented JSON."""
    if project.options.json:
        project.console.json(plan_view.as_json(made))
        return
    for line in plan_view.lines(made, every=project.console.verbosity > 0):
        project.console.data(line)
    if project.conflicted:
        name = project.lock_path.name
        project.console.say(f"`{name}` holds merge conflicts; `flux2build build` reconciles them")


def remember(project: Project) -> None:
    """Note that this tree is clean, so that the next call can be answered from the index.

    The note says what every file was when it was judged; a file that is already
    another one by now makes it void. `check` has a note of its own: a check may
    find something where a build has nothing to do.
    """
    made = project.whole
    if made.drift or project.conflicted or any(step.verdict.reasons for step in made.steps):
        return
    text = plan_view.up_to_date(len(made.steps), project.spec.profile)
    commands = ("build",) if project.findings() else ("build", "check")
    seen = project.judged(made)
    for command in commands:
        key = answer_key(command, project.file, project.options.profile)
        project.index.remember(key, text, sorted(seen), seen)
    project.index.save()


def asset_names(file: str | None) -> list[str]:
    """The names of assets and families, for the shell's completion; none where there is no spec."""
    try:
        project = Project.open(CommonOptions(file=file))
        assets = project.spec.named.values()
    except Flux2BuildError:
        return []
    return sorted({str(name) for asset in assets for name in (asset.name, asset.family)})


def profile_names(file: str | None) -> list[str]:
    """The profiles of the spec, for the shell's completion; none where there is no spec."""
    try:
        return sorted(Project.open(CommonOptions(file=file)).spec.profiles)
    except Flux2BuildError:
        return []
