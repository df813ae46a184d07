"""Approve pictures."""

from __future__ import annotations

from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.cli.decision import entered
from flux2build.lockfile import ReviewState
from flux2build.session.common_options import Choice, CommonOptions


@command("approve", selects=True)
@option("--note", metavar="TEXT", default="", help="Why, in a sentence.")
def approve(options: CommonOptions, *, choice: Choice, note: str) -> None:
    """Approve pictures.

    Enters in the lock who approved which bytes, and when. A new picture is not approved by that. An
    approved one is never rendered again, unless a build is told to `--reopen` it.
    """
    entered(options, choice, ReviewState.APPROVED, note)


COMMAND: Final[click.Command] = approve
