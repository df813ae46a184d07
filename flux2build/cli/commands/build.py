"""Build what is out of date."""

from __future__ import annotations

from typing import Any, Final

import click

from flux2build.cli import run_build
from flux2build.cli.amounts import USD, Seconds, Whole
from flux2build.cli.cluster_address import CLUSTER
from flux2build.cli.command import command, option
from flux2build.errors import Exit
from flux2build.session import plan_file
from flux2build.session.command_lines import Context
from flux2build.session.common_options import Choice, CommonOptions


@command("build", selects=True, many=True)
@option("-j", "--jobs", type=Whole(1, 256), help="Pictures drawn at once.")
@option("-y", "--yes", is_flag=True, help="Spend without asking, within the budget.")
@option("--max-cost", type=USD, metavar="USD", help="Never spend more than this in one run.")
@option("--trust-pr", is_flag=True, help="Spend and sign for a pull request from a fork.")
@option(
    "--force", multiple=True, metavar="SELECTION", help="Render these even if they are current."
)
@option(
    "--reopen",
    multiple=True,
    metavar="SELECTION",
    help="Let go of these, although they are approved or held.",
)
@option("--refresh-derived", is_flag=True, help="Derive files again if another encoder wrote them.")
@option("--dry-run", is_flag=True, help="Show the plan and stop.")
@option(
    "--cluster", type=CLUSTER, metavar="ADDRESS", default="", help="Derive and render on these."
)
@option("--cluster-mixed", is_flag=True, help="Accept workers with other versions of libraries.")
@option(
    "--lock-timeout", type=Seconds(0), metavar="SECONDS", help="Wait no longer for another build."
)
def build(options: CommonOptions, *, choice: Choice, **terms: Any) -> Exit:
    """Build what is out of date.

    Renders what changed, restores what is missing, derives the files to ship,
    and records it all in assets.lock. With a SELECTION, builds only those assets
    and what they are made of; with a file from `plan -o`, exactly what was planned.
    """
    if pinned := plan_file.named(choice.selection):
        options, choice = pinned.options(options), pinned.choice
        click.get_current_context().obj = Context(options, choice)
    return run_build.build(options, choice=choice, pinned=pinned, **terms)


COMMAND: Final[click.Command] = build
