"""Build again whenever something changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

import click
from msgspec.structs import replace

from flux2build.cli.amounts import USD, Whole
from flux2build.cli.command import command, option
from flux2build.cli.run_build import BuildRun
from flux2build.console import plan_view
from flux2build.console.console import Console
from flux2build.digest import Digest, of_bytes
from flux2build.errors import Exit, Flux2BuildError, SystemFault, UsageError
from flux2build.incremental.ongoing import Ongoing
from flux2build.ledger.accounts import accounts
from flux2build.planning.finals import locked_at
from flux2build.planning.plan import Plan
from flux2build.providers.pricing import money
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.consent import Terms
from flux2build.session.drafting import Drafting
from flux2build.session.joining import joined
from flux2build.session.project import Project
from flux2build.session.watch import OutputWatcher, Watcher
from flux2build.storage import regular

_MOST_NAMED: Final = 8
"""The most changed files that are named."""


@command("watch", selects=True)
@option("-j", "--jobs", type=Whole(1, 256), help="Pictures drawn at once.")
@option("--max-cost", type=USD, metavar="USD", help="Spend at most this in the whole session.")
@option("--trust-pr", is_flag=True, help="Spend and sign for a pull request from a fork.")
def watch(
    options: CommonOptions,
    *,
    choice: Choice,
    jobs: int | None,
    max_cost: Decimal | None,
    trust_pr: bool,
) -> Exit:
    """Build again whenever something changes.

    Watches the spec, its templates, data and source files, and your own
    configuration. A mistake in them is shown until it is corrected. An output
    that somebody removes or changes is made again. Free
    providers build at once. Paid orders are shown and wait, unless --max-cost
    lets the session spend. While open weights render, sketches stand in.

    Ctrl-C ends the session: with exit code 0 while it waits, with 130 while it builds.
    """
    console, ongoing = Console.of(options, choice, one_line=True), Ongoing()
    run = BuildRun(
        Project.open(options),
        console,
        choice,
        Terms(jobs=jobs, trust_pr=trust_pr),
        naming=True,
        ongoing=ongoing,
    )
    return Session(run, ongoing, Watcher()).run(max_cost)


class Session:
    """One watch, from its start to Ctrl-C."""

    def __init__(self, run: BuildRun, ongoing: Ongoing, watcher: Watcher) -> None:
        self._console, self._watcher = run.console, watcher
        self._drafting = Drafting(watcher.changed)
        self._run = replace(run, drafting=self._drafting)
        self._ongoing, self._started = ongoing, False
        self._asked: frozenset[str] = frozenset()
        """The paths of the project that are watched, or that a build writes."""
        self._outputs, self._tried = OutputWatcher(), set[str]()
        """Outputs that have to be made again, until a build leaves everything current."""
        self._clean = False
        """Whether the last build left everything current."""
        self._whole = False
        """Whether all files of the project are watched, because it was read completely."""
        self._lock: tuple[int, ...] = ()
        """The attributes of the lock after the last round."""

    def run(self, max_cost: Decimal | None) -> Exit:
        """Build now and whenever an input changes; spend at most `max_cost` USD in all."""
        before = Decimal(0) if max_cost is None else self._spent()
        try:
            while True:
                self._drafting.overtaken = False
                code = self._round(max_cost, before)
                if code is Exit.INTERRUPTED or self._drafting.signalled:
                    return Exit.INTERRUPTED
                self._clean = code is Exit.DONE
                if self._clean:
                    self._tried.clear()
                self._outputs.renew()
                if not self._drafting.overtaken:
                    self._console.say("watching; Ctrl-C ends", "dim")
                self._quietly(self._ongoing.settle)
                self._wait()
        except KeyboardInterrupt:
            self._console.paragraph("stopped watching")
            return Exit.DONE
        finally:
            self._drafting.close()

    def _look(self) -> None:
        """Read the project, and watch every file that was read for it."""
        self._whole = False
        while True:
            project = self._joined(self._reread())
            self._run = self._run.afresh(project)
            self._broken = self._fault()
            self._asked, watched = frozenset(project.tree.asked), project.watched()
            if not self._watcher.aim(watched, project.folder):
                self._outputs.aim(watched.written - {project.lock_path})
                return

    def _reread(self) -> Project:
        project = self._run.project
        return project.reread_by(project.index)

    def _known(self) -> Plan | None:
        """The plan, if the caches have it and no further folders need to be watched."""
        if not (self._watcher.aimed and self._whole):
            return None
        run = self._run.afresh(self._reread())
        comparison = run.in_brief()
        if comparison is None:
            return None
        if asked := run.project.tree.asked.keys() - self._asked:
            if not self._watcher.also(run.project.of_asked(asked, comparison.base.written)):
                return None
            self._asked |= asked
        self._run = replace(run, brief=comparison)
        return comparison.plan

    def _joined(self, project: Project) -> Project:
        """The project with its team's store; while the settings are faulty, with the earlier one.

        Raises:
            UsageError: they are faulty at the start.
        """
        try:
            return joined(project, self._console.caution)
        except UsageError:
            if not self._started:
                raise
            return project

    def _fault(self) -> Flux2BuildError | None:
        """The error that keeps the project from being built, if there is one.

        Raises:
            UsageError: at the start, for a selection or profile that does not exist.
        """
        try:
            project = self._run.project
            _ = project.graph, project.lock, project.chosen(self._run.choice)
        except UsageError:
            if not self._started:
                raise
            return None
        except Flux2BuildError as error:
            return error
        return None

    def _wait(self) -> None:
        write = partial(self._quietly, self._ongoing.write)
        changed, folder = self._watcher.wait(write, self._spoilt), self._run.project.folder
        names = sorted(os.path.relpath(path, folder) for path in changed)
        more = [f"{len(names) - _MOST_NAMED:,} more"] if len(names) > _MOST_NAMED + 1 else []
        self._console.say("")
        self._console.say(f"changed: {', '.join([*names[:_MOST_NAMED], *more] if more else names)}")

    def _spoilt(self) -> set[str]:
        """Outputs that were removed or changed since a build left nothing to do.

        Each is tried once until a build succeeds, as builds write outputs, too. The lock counts if
        anything but a round of this watch has changed it.
        """
        lock = self._run.project.lock_path
        if (now := _attributes(lock)) != self._lock:
            self._lock = now
            return {str(lock.absolute())}
        touched, due = self._outputs.changed() - self._tried, set[str]()
        if touched and self._clean:
            with suppress(Flux2BuildError):
                due = self._due(touched) - self._tried
            self._tried |= due
        return due

    def _due(self, touched: Iterable[str]) -> set[str]:
        """Outputs that have to be made again; only `touched` ones if the plan is unknown."""
        project = self._run.project
        folder = project.folder.absolute()
        if (known := self._run.afresh(self._reread()).in_brief()) is not None:
            return {str(folder / step.recipe.output) for step in known.plan.todo}
        locked = locked_at(project.lock, project.spec.profile)
        paths = {path: Path(path).relative_to(folder).as_posix() for path in touched}
        return {path for path, name in paths.items() if (name, _digest(path)) not in locked}

    def _quietly(self, remember: Callable[[], None]) -> None:
        """Remember the state after a build; an error is printed."""
        try:
            remember()
        except Flux2BuildError as error:
            self._tell(error)

    def _round(self, max_cost: Decimal | None, before: Decimal) -> Exit:
        """Build what is out of date, as far as the session may pay for it; show mistakes.

        The tree is locked before the project is read, so it need not be read again.
        """
        first, looking = not self._started, False
        try:
            with self._run.alone(), self._noting_the_lock():
                if (known := self._known()) is not None and self._run.agreed_to(known):
                    return self._run.carry_out(known)
                looking = True
                self._look()
                looking, self._started = False, True
                left = None if max_cost is None else max_cost - (self._spent() - before)
                return self._built(left)
        except Flux2BuildError as error:
            if looking or (first and isinstance(error, SystemFault)):
                raise  # no edit corrects the command line, or a disk that cannot be written to
            self._tell(error)
            return error.exit
        except KeyboardInterrupt:
            return Exit.INTERRUPTED

    @contextmanager
    def _noting_the_lock(self) -> Iterator[None]:
        """Note the state of the lock after a round, before others may change it."""
        try:
            yield
        finally:
            self._lock = _attributes(self._run.project.lock_path)

    def _built(self, left: Decimal | None) -> Exit:
        if self._broken is not None:
            self._run = self._run.collect_all()
            raise self._broken
        self._run, plan = self._run.planned()
        self._whole = True
        payable = left is not None and plan.high is not None and plan.low <= left
        terms = replace(self._run.terms, max_cost=left) if payable else self._run.terms
        run = replace(self._run, terms=terms)
        if (payable or plan.high == 0) and run.agreed_to(plan):
            run.announce(plan)
            exit_code = run.carry_out(plan)
            if (built := self._ongoing.project) is not None:  # its lock need not be read again
                self._run = replace(self._run, project=built)
            return exit_code
        self._run = self._run.collect_all()
        self._put_off(plan, left)
        return Exit.BUDGET

    def _put_off(self, plan: Plan, left: Decimal | None) -> None:
        plan_view.show(self._console, self._run.project, plan)
        if left is None:
            self._console.say(
                "paid orders wait: run `flux2build build`, or start again with `--max-cost USD`"
            )
        elif plan.high is None:
            self._console.say("orders wait: no price is known for them; `flux2build models`")
        else:
            self._console.say(
                f"paid orders wait: {money(max(left, Decimal(0)))} of `--max-cost` is left"
            )

    def _tell(self, error: Flux2BuildError) -> None:
        self._console.fail(error)
        if self._run.project.options.json:
            rows = [plan_view.problem_json(problem) for problem in error.problems]
            self._console.document({"problems": rows})

    def _spent(self) -> Decimal:
        """The cost of this project's orders so far, including sums that may still be charged."""
        project = self._run.project
        return accounts(project.journal).total(str(project.folder))


def _attributes(path: Path) -> tuple[int, ...]:
    """The attributes that change with a file; empty if it is missing."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _digest(path: str) -> Digest | None:
    """The digest of a file; None if there is none."""
    try:
        return of_bytes(regular.read(path, None))
    except OSError:
        return None


COMMAND: Final[click.Command] = watch
