"""Remove outputs that the spec no longer wants."""

from __future__ import annotations

from typing import Final

import click

from flux2build import app
from flux2build.command import command, option
from flux2build.errors import Exit
from flux2build.project import Project
from flux2build.request import Request


@command("prune")
@option("-y", "--yes", is_flag=True, help="Remove them; without it they are only shown.")
def prune(request: Request, *, yes: bool) -> Exit:
    """Remove outputs that the spec no longer wants.

    Shows them first; `--yes` removes the files and their rows in the lock. The
    bytes stay in the store, and a file that was edited by hand stays in place.
    """
    project = Project.open(request)
    left = project.plan().orphans
    if request.json:
        rows = [{"asset": o.asset, "profile": o.profile, "path": o.path} for o in left]
        project.console.json({"format_version": "1.0", "orphans": rows, "removed": yes})
    else:
        for orphan in left:
            project.console.data(f"- {orphan.path}  ({orphan.asset}, {orphan.profile})")
    if not left:
        project.console.say("Nothing is left over.")
    elif yes:
        app.prune(project)
    else:
        project.console.say(f"{len(left)} outputs are left over; `--yes` removes them.")
    return Exit.DONE


COMMAND: Final[click.Command] = prune
