"""Show what a build would do, why, and for how much."""

from __future__ import annotations

import shlex
from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.console import plan_view
from flux2build.console.console import Console
from flux2build.errors import Exit, UsageError
from flux2build.session.answers import remember, remember_judged
from flux2build.session.brief import brief
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import EVERYTHING, Project
from flux2build.session.renewal import renew


@command("plan", selects=True, many=True)
@option(
    "--force",
    multiple=True,
    metavar="SELECTION",
    help="Plan to render these even if they are current.",
)
@option(
    "--reopen",
    multiple=True,
    metavar="SELECTION",
    help="Let go of these, although they are approved or held.",
)
@option(
    "--refresh-derived",
    is_flag=True,
    help="Plan to derive files again if another encoder wrote them.",
)
@option("-o", "--output", metavar="FILE", help="Also write the plan to a file, for `build FILE`.")
@option(
    "--live", is_flag=True, help="Ask providers for what is left, and warn if it is too little."
)
@option("--exit-code", is_flag=True, help="Exit with 1 when there is anything to do.")
def show_plan(
    options: CommonOptions, *, choice: Choice, output: str | None, live: bool, exit_code: bool
) -> Exit:
    """Show what a build would do, why, and for how much.

    Needs no network and no key, except with `--live`. `?` marks steps that may turn out to be
    unnecessary once the pictures that they depend on are made.
    """
    if options.several and output is not None:
        raise UsageError("`--output` is about one spec", hint="name one with `--file`")
    console = Console.of(options, choice)
    project = joined(Project.open(options), console.caution)
    detailed = options.json or options.verbosity > 0 or output is not None or live
    known = None if detailed or choice != EVERYTHING else brief(project)
    if known is None:
        plan = project.plan(choice)
        remember_judged(project)
    else:
        plan = known.plan
    plan_view.show(console, project, plan)
    console.caution(project.unread)
    if output is not None:
        from flux2build.session import plan_file

        plan_file.write(output, project, choice, plan)
        console.say(f"`flux2build build {shlex.quote(output)}` carries out this plan and no other")
    if live:
        from flux2build.cli.live import warn_of_costs

        warn_of_costs(console, project.settings, plan)
    if known is not None:
        if not plan.drift:
            renew(project, known, None, plan_view.clean_line(plan))
    elif choice.everything and not choice.force:
        remember(project, plan_view.clean_line(project.whole))
    return Exit.DRIFT if exit_code and (plan.drift or project.conflicted) else Exit.DONE


COMMAND: Final[click.Command] = show_plan
