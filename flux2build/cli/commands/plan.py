"""Show what a build would do, why, and for how much."""

from __future__ import annotations

from typing import Any, Final

import click

from flux2build.cli import run_plan
from flux2build.cli.command import command, option
from flux2build.errors import Exit
from flux2build.session.common_options import CommonOptions


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
def show_plan(options: CommonOptions, **values: Any) -> Exit:
    """Show what a build would do, why, and for how much.

    Needs no network and no key, except with `--live`. `?` marks steps that may turn out to be
    unnecessary once the pictures that they depend on are made.
    """
    return run_plan.show_plan(options, **values)


COMMAND: Final[click.Command] = show_plan
