"""Reject pictures."""

from __future__ import annotations

from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.cli.decision import entered
from flux2build.lockfile import ReviewState
from flux2build.session.common_options import Choice, CommonOptions


@command("reject", selects=True)
@option("--note", metavar="TEXT", default="", help="Why, in a sentence.")
def reject(options: CommonOptions, *, choice: Choice, note: str) -> None:
    """Reject pictures.

    Until there is another picture, a build makes nothing of one that was rejected, and `check` fails.
    """
    entered(options, choice, ReviewState.REJECTED, note)


COMMAND: Final[click.Command] = reject
