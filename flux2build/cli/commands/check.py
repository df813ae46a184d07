"""Prove, offline, that every picture is current."""

from __future__ import annotations

from typing import Any, Final

import click

from flux2build.cli import run_check
from flux2build.cli.command import command, option
from flux2build.console.findings import OUTPUT_FORMATS
from flux2build.errors import Exit
from flux2build.session.common_options import CommonOptions


@command("check", selects=True, many=True)
@option(
    "--output-format",
    type=click.Choice(list(OUTPUT_FORMATS)),
    default="full",
    help="How findings are printed: for people, or for a service.",
)
@option(
    "--select",
    "selected",
    multiple=True,
    metavar="CODES",
    help="Report only these codes, or all of these checks; with commas.",
)
@option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="CODES",
    help="Report all but these codes or checks; with commas.",
)
@option("--require-approved", is_flag=True, help="Fail where a picture is not approved.")
@option("--strict", is_flag=True, help="Let warnings fail the check too.")
def check(options: CommonOptions, **values: Any) -> Exit:
    """Prove, offline, that every picture is current.

    Reads only; needs no key and no network. Exits with 1 when files, lock and
    spec disagree, and names the command that mends each finding. `[checks]` in
    the spec sets the severity of each check.
    """
    return run_check.check(options, **values)


COMMAND: Final[click.Command] = check
