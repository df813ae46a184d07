"""Hold pictures as they are, whatever the spec says."""

from __future__ import annotations

from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.cli.decision import entered
from flux2build.lockfile import ReviewState
from flux2build.session.common_options import Choice, CommonOptions


@command("hold", selects=True)
@option("--note", metavar="TEXT", default="", help="Why, in a sentence.")
def hold(options: CommonOptions, *, choice: Choice, note: str) -> None:
    """Hold pictures as they are, whatever the spec says.

    An edit of the prompt no longer asks for a new picture, and `check` is content. A build that is
    told to `--reopen` it renders it all the same.
    """
    entered(options, choice, ReviewState.HELD, note)


COMMAND: Final[click.Command] = hold
