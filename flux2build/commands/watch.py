"""Build again whenever something changes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

import click

from flux2build import app
from flux2build.command import command, option
from flux2build.errors import Exit, Flux2BuildError
from flux2build.project import Choice, Project
from flux2build.request import Request
from flux2build.watch import Watcher


@command("watch", selects=True)
@option("-j", "--jobs", type=click.IntRange(1, 256), help="Pictures drawn at once.")
@option("--max-cost", type=app.USD, metavar="USD", help="Spend at most this in the session.")
def watch(
    request: Request,
    *,
    selection: Sequence[str],
    exclude: Sequence[str],
    jobs: int | None,
    max_cost: Decimal | None,
) -> Exit:
    """Build again whenever something changes.

    Free providers build at once. Paid ones show the plan and wait, unless
    --max-cost allows the session to spend. Ctrl-C ends it.
    """
    choice = Choice(tuple(selection), tuple(exclude))
    return _watch(Project.open(request), choice, app.Terms(jobs=jobs, max_cost=max_cost))


def _watch(project: Project, choice: Choice, terms: app.Terms) -> Exit:
    """Build now and whenever an input changes, until Ctrl-C.

    A broken spec shows its errors and is waited for. Paid orders are shown and
    wait, unless the terms let the session spend.
    """
    watcher, spent = Watcher(), Decimal(0)
    try:
        while True:
            project.forget()
            broken = _broken(project)
            if watcher.aim(project.inputs()):
                continue
            if broken is not None:
                project.console.fail(broken)
            else:
                spent += _round(project, choice, terms, spent)
            project.console.say("watching; Ctrl-C ends", "dim")
            changed = watcher.wait()
            names = ", ".join(sorted(os.path.relpath(path, project.folder) for path in changed))
            project.console.say(f"\nchanged: {names}")
    except KeyboardInterrupt:
        project.console.say("\nstopped watching")
        return Exit.DONE


def _broken(project: Project) -> Flux2BuildError | None:
    """What keeps the project from being built, if anything."""
    try:
        _ = project.graph, project.lock
    except Flux2BuildError as error:
        return error
    return None


def _round(project: Project, choice: Choice, terms: app.Terms, spent: Decimal) -> Decimal:
    """One round of watching; what it may have cost at the most."""
    try:
        made = project.plan(choice)
        high = made.high
        if high != 0 and terms.max_cost is None:
            app.show_plan(project, made)
            project.console.say("paid orders wait: run `flux2build build`, or watch --max-cost USD")
            return Decimal(0)
        left = None if terms.max_cost is None else max(Decimal(0), terms.max_cost - spent)
        if app.build(project, choice, replace(terms, max_cost=left)) is Exit.INTERRUPTED:
            raise KeyboardInterrupt
    except Flux2BuildError as error:
        project.console.fail(error)
        return Decimal(0)
    return high or Decimal(0)


COMMAND: Final[click.Command] = watch
