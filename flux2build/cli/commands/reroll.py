"""Order further candidates of pictures."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import click
from msgspec.structs import replace

from flux2build.cli.amounts import USD, Seconds, Whole
from flux2build.cli.command import command, option
from flux2build.cli.run_build import BuildRun
from flux2build.console import plan_view
from flux2build.console.console import Console
from flux2build.errors import Exit, UsageError
from flux2build.model import Generate
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.consent import Terms
from flux2build.session.joining import joined
from flux2build.session.project import Project


@command("reroll", selects=True)
@option("-n", "--number", type=Whole(1, 16), default=1, help="How many further ones.")
@option("-j", "--jobs", type=Whole(1, 256), help="Pictures drawn at once.")
@option("-y", "--yes", is_flag=True, help="Spend without asking, within the budget.")
@option("--max-cost", type=USD, metavar="USD", help="Never spend more than this in one run.")
@option("--trust-pr", is_flag=True, help="Spend and sign for a pull request from a fork.")
@option(
    "--reopen",
    multiple=True,
    metavar="SELECTION",
    help="Let go of these, although they are approved or held.",
)
@option("--dry-run", is_flag=True, help="Show the plan and stop.")
@option(
    "--lock-timeout", type=Seconds(0), metavar="SECONDS", help="Wait no longer for another build."
)
def reroll(
    options: CommonOptions,
    *,
    choice: Choice,
    number: int,
    dry_run: bool,
    **terms: bool | float | Decimal | None,
) -> Exit:
    """Order further candidates of pictures.

    Each is another take of the same request or, where the seed is fixed, the same request with the
    next seed. The picture that ships stays until another one is picked.
    """
    if not choice.selection:
        raise UsageError("reroll which asset?", hint="`flux2build list` names them all")
    choice = replace(choice, further=number)
    console = Console.of(options, choice)
    project = joined(Project.open(options), console.caution)
    rendered = {r.asset for r in project.spec.recipes if isinstance(r.task, Generate)}
    if rendered.isdisjoint(project.chosen(choice)):
        raise UsageError("nothing that is selected is rendered")
    if dry_run:
        plan_view.show(console, project, project.plan(choice))
        return Exit.DONE
    agreed = Terms(**terms)  # type: ignore[arg-type]  # click checked them
    return BuildRun(project, console, choice, agreed).build()


COMMAND: Final[click.Command] = reroll
