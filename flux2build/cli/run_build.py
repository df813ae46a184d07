"""Runs a build at the terminal: asks for consent, shows progress, and sums up."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from flux2build import lockfile
from flux2build.building.report import Report
from flux2build.cli.spooled import take_in_spooled
from flux2build.console import plan_view
from flux2build.console.console import Console
from flux2build.errors import BudgetError, Exit, Flux2BuildError, Problem, gravest
from flux2build.incremental.answers import remember
from flux2build.incremental.baseline import Baseline
from flux2build.incremental.brief import Brief, brief, dismiss, narrowed
from flux2build.incremental.brief_build import buildable
from flux2build.incremental.brief_build import premises as brief_premises
from flux2build.incremental.renewal import renew
from flux2build.ledger import Intended
from flux2build.model import AssetName, Key
from flux2build.planning.open_orders import OpenOrder
from flux2build.planning.plan import Plan
from flux2build.providers.pricing import price_range
from flux2build.session.after import after
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.consent import Terms, agreed_to, bill, refuse_strangers
from flux2build.session.joining import joined
from flux2build.session.missing_lock import ignored, refuse_to_pay
from flux2build.session.project import Project
from flux2build.storage import disk

if TYPE_CHECKING:
    from flux2build.incremental.ongoing import Ongoing
    from flux2build.session.drafting import Drafting
    from flux2build.session.plan_file import PlanFile


def remember_clean(project: Project) -> Baseline | None:
    """Remember the answer of a clean tree until something changes."""
    return remember(project, plan_view.clean_line(project.whole))


def build(
    options: CommonOptions,
    *,
    choice: Choice,
    pinned: PlanFile | None = None,
    dry_run: bool = False,
    **terms: Any,
) -> Exit:
    """Build the chosen assets on some terms, or only show the plan; `pinned` is an earlier plan."""
    console = Console.of(options, choice)
    project = joined(Project.open(options), console.caution)
    if dry_run:
        plan_view.show(console, project, project.plan(choice))
        return Exit.DONE
    return BuildRun(project, console, choice, Terms(**terms), pinned).build()


class BuildRun(Struct, frozen=True):
    """A build of some assets on some terms, run at the terminal."""

    project: Project
    console: Console
    choice: Choice
    terms: Terms
    pinned: PlanFile | None = None
    """The only plan that may be carried out, if there is one."""
    collected: tuple[Intended, ...] = ()
    """The collected orders that no step asks for."""
    collecting: Exit = Exit.DONE
    """The exit code of orders that no step asks for: `DONE`, or `DECIDE`."""
    tried: frozenset[str] = frozenset()
    """The attempts that were not ready to be collected, and are not asked for again."""
    naming: bool = False
    """Whether each picture is named even beside a progress bar."""
    waited: frozenset[str] = frozenset()
    """The attempts for which an earlier round of `watch` waited; they are only asked for once."""
    ongoing: Ongoing | None = None
    """The memory of a process that builds again and again; None for a single build."""
    brief: Brief | None = None
    """The comparison from which the plan was made without reading the spec, if it was."""
    drafting: Drafting | None = None
    """The rendering on this machine while a person edits."""

    def afresh(self, project: Project) -> BuildRun:
        """The same build of a project that was read again, with nothing collected yet."""
        waited = self.waited | self.tried
        return replace(
            self,
            project=project,
            collected=(),
            collecting=Exit.DONE,
            tried=frozenset(),
            waited=waited,
            brief=None,
        )

    def build(self) -> Exit:
        """Plan, confirm, build and report, alone in this tree.

        The tree is not locked while a person reads the plan. After they agree, it is
        planned again; if the new plan orders anything else, they are asked again.

        Raises:
            BudgetError: the plan may not be bought, or the person declined.
            UsageError: a pull request from a fork would spend or sign, and nobody trusts it.
        """
        agreed: dict[tuple[AssetName, int], object] = {}
        run = self
        while True:
            with self.alone():
                run = replace(run, project=self.project.reread())
                try:
                    run, plan = run.planned()
                    run.require_pinned(plan)
                    consented = run.agreed_to(plan) or bill(plan).items() <= agreed.items()
                except Flux2BuildError as refusal:
                    run.collect_all().report_collected(refusal.exit)
                    raise
                if consented:
                    if not agreed:
                        run.announce(plan)
                    return run.carry_out(plan)
                run, plan = run.collect_all().planned()
            try:
                run.require_pinned(plan)
                self._ask(plan)
            except Flux2BuildError as refusal:
                run.report_collected(refusal.exit)
                raise
            # The person may have taken their time, and the pictures have become ready.
            agreed, run = bill(plan), replace(run, tried=frozenset())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the tree against other builds, from before planning until the plan is carried out."""
        from flux2build.building.run_lock import held

        folder, timeout = self.project.folder, self.terms.lock_timeout
        with held(folder, "flux2build build", timeout, self.console.say):
            take_in_spooled(self.project.journal, self.project.store, self.console)
            self._tell_the_team()
            yield

    def _tell_the_team(self) -> None:
        """Share the outcomes of this machine's claims with the team's store."""
        if self.project.team is not None:
            from flux2build.session import sharing

            sharing.tell(self.project, self.console.say)

    def planned(self) -> tuple[BuildRun, Plan]:
        """The plan, after collecting paid orders that no step asks for.

        Raises:
            KeyboardInterrupt: a person asked to stop.
        """
        if (comparison := self.in_brief()) is not None:
            self.project.keep_judged()
            return replace(self, brief=comparison), comparison.plan
        plan = self.project.plan(self.choice)
        self.project.keep_judged()
        collected = self._collect(plan.orders)
        run = replace(collected, brief=None)
        return run, plan if collected is self else run.project.plan(run.choice)

    def in_brief(self) -> Brief | None:
        """The plan in brief, if it has everything that is to be shown.

        A process that builds again and again reads everything before it asks for consent.
        """
        every = self.project.options.json or self.project.options.verbosity > 0
        if not self.choice.plain or self.pinned or (every and self.ongoing):
            return None
        comparison = (
            self.ongoing.brief(self.project) if self.ongoing else brief(self.project, every=every)
        )
        if comparison is None:
            return None
        comparison = narrowed(self.project, comparison, self.choice)
        waits = self.ongoing is not None and comparison is not None and comparison.plan.high != 0
        if comparison is not None and not waits and buildable(self.project, comparison):
            return comparison
        dismiss(self.project)
        return None

    def require_pinned(self, plan: Plan) -> None:
        """Refuse a plan that is not the one that was to be carried out.

        Raises:
            DecisionError: it is not.
        """
        if self.pinned is not None:
            self.pinned.require(self.project, plan)

    def collect_all(self) -> BuildRun:
        """Collect all paid orders, because nothing is built now, and addresses expire.

        Raises:
            KeyboardInterrupt: a person asked to stop.
        """
        return self._collect(self.project.every_open_order)

    def report_collected(self, exit_code: Exit) -> None:
        """Print the JSON of a refused build, if it collected anything."""
        from flux2build.console import build_view

        if self.collected and self.project.options.json:
            self.console.document(build_view.as_json(Report(), self.collected, exit_code))

    def _collect(self, orders: Iterable[OpenOrder]) -> BuildRun:
        pending = [
            order for order in orders if order.pending and order.intended.attempt not in self.tried
        ]
        if not pending:
            return self

        from flux2build.session.collection import PATIENCE, collect

        attempts = frozenset(order.intended.attempt for order in pending)
        patience = 0.0 if attempts <= self.waited else PATIENCE
        outcome = collect(self.project, pending, self.console.say, patience)
        self.console.caution(outcome.problems)
        self._tell_the_team()
        return replace(
            self,
            project=self.project.reread(),
            collected=(*self.collected, *outcome.collected),
            collecting=gravest((self.collecting, outcome.exit)),
            tried=self.tried | attempts,
        )

    def agreed_to(self, plan: Plan) -> bool:
        """Whether a plan may be paid for without asking.

        Raises:
            BudgetError: the plan exceeds a cap, has no price, or needs a person who is absent.
            DecisionError: the lock, which may list paid pictures, is missing.
            UsageError: a pull request from a fork would spend or sign, and nobody trusts it.
        """
        budget = self.brief.base.budget if self.brief else self.project.spec.budget
        settings = self.project.settings
        refuse_to_pay(self.project.lockless, plan)
        if self.project.unread:  # nothing is bought, but files may be signed
            refuse_strangers(plan, self.terms, settings)
            return True
        return agreed_to(plan, budget, self.terms, settings, attended=sys.stdin.isatty())

    def announce(self, plan: Plan) -> None:
        """Print the price of a plan that may be bought without asking."""
        if plan.high and not self.project.unread:
            self.console.say(plan_view.footer(plan))

    def carry_out(self, plan: Plan) -> Exit:
        """Carry out a plan that was agreed to, and report; the tree must be locked."""
        if self.project.conflicted:
            return self._rewritten("reconciled both sides").carry_out(plan)
        if self.project.lock.older:
            return self._rewritten("renamed the models").carry_out(plan)
        self.console.caution((*filter(None, [self.project.lockless]), *self.project.ledger_faults))
        return self._conclude(plan, self._built(plan))

    def _ask(self, plan: Plan) -> None:
        """Show a plan and ask a person to agree to its price.

        Raises:
            BudgetError: they decline.
        """
        for line in plan_view.lines(plan):
            self.console.say(line)
        import click

        price = price_range(plan.low, plan.high)
        if not click.confirm(f"Spend {price}?", default=False, err=True):
            raise BudgetError("not confirmed; nothing was ordered")

    def _rewritten(self, action: str) -> BuildRun:
        """Write the lock as it was read, and print what was done to it; this spends nothing."""
        path = self.project.lock_path
        disk.replace(path, lockfile.dumps(self.project.lock).encode())
        self.console.say(f"{action} of {path.name}")
        return replace(self, project=self.project.reread_lock())

    def _built(self, plan: Plan) -> Report:
        """Carry the plan out and show each step; a plan without steps needs no build."""
        if self.drafting:
            self.drafting.keep(plan)
        if not any(step.verdict.reasons for step in plan.steps):
            return Report(done=[(step.recipe, step.verdict) for step in plan.steps], kept=plan.kept)

        from flux2build.console.build_view import BuildView
        from flux2build.console.progress import BuildProgress
        from flux2build.session.wiring import Listeners, premises, run

        if not gc.get_freeze_count():
            gc.freeze()  # imported modules stay to the end, so they need not be scanned
        gc.set_threshold(50_000, 20, 50)  # cycles may keep pictures in memory
        project, comparison = self.project, self.brief
        basis = brief_premises(project, comparison) if comparison else premises(project, plan)
        if self.drafting:
            artifacts = self.drafting.artifacts(basis.artifacts)
            drafting = self.drafting if self.drafting.concerns(plan) else None
            basis = replace(basis, artifacts=artifacts, drafting=drafting)
        view = BuildView(self.console, self._located, naming=self.naming)
        with BuildProgress(self.console, len(plan.todo), view.show) as progress:
            listeners = Listeners(
                self.console.say, progress.on_event, progress.on_step, self.console.detail
            )
            return run(project, plan, basis, self.terms, listeners)

    def _located(self, problem: Problem, key: Key) -> Problem:
        """A problem at a key of the spec, which is only read for a problem."""
        return self.project.spec.located(problem, key)

    def _conclude(self, plan: Plan, report: Report) -> Exit:
        """Print a summary or JSON, and remember a clean tree."""
        from flux2build.console import build_view

        project, say = self.project, self.console.say
        exit_code = gravest((report.exit, self.collecting))
        if project.options.json:
            self.console.document(build_view.as_json(report, self.collected, exit_code))
        changed = any(verdict.reasons for _, verdict in report.done)
        if (changed or report.failures or report.blocked) and not self.brief:
            project = after(project, report)
        if changed or report.failures or report.blocked:
            self.console.caution(filter(None, [ignored(project.lock_path)]))
        idle = not (report.exit or plan.todo or plan.orphans)
        say(plan_view.clean_line(plan) if idle else build_view.summary(report))
        for line in build_view.spending(report, every=self.console.verbosity > 0):
            say(line)
        for message, hint in build_view.decisions(report, rerolled=bool(self.choice.further)):
            self.console.warn(message, hint)
        self._report_leftovers(report)
        done = not (report.exit or report.overtaken)
        whole = done and self.choice.everything and not plan.orphans
        self._remember(project, report, whole=whole)
        if plan.orphans and self.choice.everything:
            say(
                f"{plan_view.left_over(len(plan.orphans))}; `flux2build prune` shows what may be removed"
            )
        self._remind(plan)
        return exit_code

    def _report_leftovers(self, report: Report) -> None:
        """Report sketches and an interruption that a build has left."""
        if report.sketches and not report.overtaken:
            names = ", ".join(f"`{path}`" for path in report.sketches)
            self.console.warn(f"sketches stand in for pictures that were not rendered: {names}")
        if report.interrupted:
            self.console.say("interrupted; the next build goes on from here")

    def _remember(self, project: Project, report: Report, *, whole: bool) -> None:
        """Remember the result of a build, or leave that to `ongoing`.

        After a reading of everything it is remembered if the `whole` project was built.
        """
        ongoing, comparison = self.ongoing, self.brief
        if comparison is None:
            if whole:
                ongoing.built(project, remember_clean) if ongoing else remember_clean(project)
            return
        line = plan_view.clean_line(Plan(comparison.plan.profile, (), kept=comparison.base.count))
        if ongoing is None:
            renew(project, comparison, report, line)
        elif whole:
            ongoing.built_in_brief(project, comparison, report, line, remember_clean)

    def _remind(self, plan: Plan) -> None:
        """Name the orders that no step asks for and only a person can settle."""
        undecided = [order for order in plan.orders if order.ours and not order.pending]
        if undecided:
            assets = ", ".join(sorted({f"`{order.intended.asset}`" for order in undecided}))
            self.console.warn(
                f"what was ordered for {assets} is not settled, and nothing asks for it any more",
                "see `flux2build orders list`, then `orders adopt`, `resubmit` or `write-off`",
            )
