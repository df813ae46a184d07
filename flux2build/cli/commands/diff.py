"""Show what has changed since a commit."""

from __future__ import annotations

from typing import Final

import click

from flux2build.cli.command import command, option
from flux2build.console import lock_changes
from flux2build.console.console import Console
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import Project
from flux2build.session.revisions import Since, compared


@command("diff", selects=True)
@option(
    "--since",
    metavar="REVISION",
    default="HEAD",
    help="The commit to compare with; of a branch, where this one left it.",
)
def diff(options: CommonOptions, *, choice: Choice, since: str) -> None:
    """Show what has changed in the lock since a commit: in words, pictures and money.

    Compares `assets.lock` as it is with the one of a commit, in every profile or in one. Pictures
    are compared by their bytes; where these differ, by their pixels, and the distance
    (CIEDE2000) tells how much a small copy of one looks like the other: 1 is just visible, 10 obvious.
    """
    console = Console.of(options, choice)
    project = joined(Project.open(options), console.caution)
    base = Since(project, since)
    changes = compared(base, choice)
    if options.json:
        console.document(lock_changes.as_json(changes, base.commit))
        return
    console.data(*lock_changes.lines(changes))
    console.data(lock_changes.footer(changes, f"{since} ({base.commit[:9]})"))


COMMAND: Final[click.Command] = diff
