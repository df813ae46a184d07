"""Bring back an earlier picture of an asset."""

from __future__ import annotations

from typing import Final

import click

from flux2build.building.run_lock import held
from flux2build.cli.command import command
from flux2build.cli.completers import COMPLETERS
from flux2build.console.console import Console
from flux2build.session import past
from flux2build.session.common_options import CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import Project
from flux2build.session.reviewing import feeds_others
from flux2build.session.rollback import chosen, edits, roll_back


@command("rollback")
@click.argument("asset", shell_complete=COMPLETERS["SELECTION"])
@click.argument("picture", required=False, metavar="[N|DIGEST|COMMIT]")
def rollback(options: CommonOptions, *, asset: str, picture: str | None) -> None:
    """Bring back an earlier picture of an asset.

    Takes the picture that shipped before the current one, the one with a number or digest of
    `flux2build history ASSET`, or the one that a commit has. Its bytes come from the store, the work tree, git, Git LFS or
    your team's store, at no cost, and what was there is kept in the store. Its row is put back into the lock, and the asset is held, so that no build replaces it. The edit
    of the spec that makes it current is printed.
    """
    console = Console.of(options)
    project = joined(Project.open(options), console.caution)
    with held(project.folder, "flux2build rollback", None, console.say):
        project = project.reread()
        name = past.named(project, asset)
        past_picture = chosen(project, name, picture)
        recipe, state = roll_back(project, name, past_picture)
    lines = list(edits(recipe, past_picture))
    if options.json:
        console.document({"asset": name, "picture": past_picture.number, "edits": [*lines]})
        return
    console.say(
        f"{recipe.output} is picture {past_picture.number} again ({past_picture.origin}), and {state.value}"
    )
    if lines:
        console.say(f"To make it what the spec asks for, write for `{name}`:")
        console.data(*lines)
    if feeds_others(project, name):
        console.say("`flux2build build` makes what is made of it")


COMMAND: Final[click.Command] = rollback
