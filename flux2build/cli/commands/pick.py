"""Ship one of an asset's candidates."""

from __future__ import annotations

from typing import Final

import click

from flux2build.building.run_lock import held
from flux2build.cli.amounts import Whole
from flux2build.cli.command import command
from flux2build.cli.completers import COMPLETERS
from flux2build.console.console import Console
from flux2build.session import reviewing
from flux2build.session.common_options import CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import Project


@command("pick")
@click.argument("asset", shell_complete=COMPLETERS["SELECTION"])
@click.argument("number", type=Whole(1), metavar="N")
def pick(options: CommonOptions, *, asset: str, number: int) -> None:
    """Ship one of an asset's candidates.

    Puts its bytes, which your store or your team's has, into the file of the asset, and its receipt into the lock.
    The others stay in the store. It costs nothing, and so does picking another one later.
    """
    console = Console.of(options)
    project = joined(Project.open(options), console.caution)
    with held(project.folder, "flux2build pick", None, console.say):
        project = project.reread()
        picture = reviewing.pick(project, asset, number, console.say)
    if options.json:
        changed = picture is not None
        console.document({"asset": asset, "candidate": number, "changed": changed})
    if picture is None:
        console.say(f"candidate {number} of {asset} ships already")
        return
    console.say(f"candidate {number} of {asset} ships: {picture.recipe.output}")
    decision = picture.block.decision if picture.block else None
    shipped = {each.output.sha256 for each in picture.candidates if each.number == number}
    if decision is not None and decision.sha256 not in shipped:
        console.say(f"no longer {decision.state.value}: the picture is another one")
    if reviewing.feeds_others(project, picture.recipe.asset):
        console.say("`flux2build build` makes what is made of it")


COMMAND: Final[click.Command] = pick
