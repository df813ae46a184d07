"""Show what a build would do, why, and for how much."""

from __future__ import annotations

from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.console import plan_view
from flux2build.console.console import Console
from flux2build.errors import Exit
from flux2build.session.answers import remember, remember_sound
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.project import Project


@command("plan", selects=True)
@option(
    "--force",
    multiple=True,
    metavar="SELECTION",
    help="Plan to render these even if they are current.",
)
@option(
    "--refresh-derived",
    is_flag=True,
    help="Plan to derive files again if another encoder wrote them.",
)
@option("--exit-code", is_flag=True, help="Exit with 1 when there is anything to do.")
def show_plan(options: CommonOptions, *, choice: Choice, exit_code: bool) -> Exit:
    """Show what a build would do, why, and for how much.

    Needs no network and no key. `?` marks steps that may turn out to be
    unnecessary once the pictures that they depend on are made.
    """
    project = Project.open(options)
    plan = project.plan(choice)
    remember_sound(project)
    console = Console(options.color, options.verbosity)
    plan_view.show(console, project, plan)
    console.caution(project.unread)
    if choice.everything and not choice.force:
        remember(project, plan_view.clean_line(project.whole))
    return Exit.DRIFT if exit_code and (plan.drift or project.conflicted) else Exit.DONE


COMMAND: Final[click.Command] = show_plan
