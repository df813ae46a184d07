"""Take a picture that exists for what an asset asks for."""

from __future__ import annotations

from typing import Final

import click

from flux2build.building.run_lock import held
from flux2build.cli.command import command
from flux2build.cli.completers import COMPLETERS
from flux2build.console.console import Console
from flux2build.model import AssetName
from flux2build.session.adopting import adopt as adopted
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project


@command("adopt")
@click.argument("asset", shell_complete=COMPLETERS["SELECTION"])
@click.argument("picture", metavar="FILE")
def adopt(options: CommonOptions, *, asset: str, picture: str) -> None:
    """Take a picture that exists for what an asset asks for.

    A retouched picture, or one that was made elsewhere, becomes the locked output of the asset, at no cost; the
    receipt says that it was adopted. Nothing is rendered in its place until the request changes. What
    was at the output's path is kept in the store.
    """
    project, console = Project.open(options), Console.of(options)
    with held(project.folder, "flux2build adopt", None, console.say):
        project = project.reread()
        output, differences = adopted(project, asset, picture)
    if options.json:
        fields = {"asset": asset, "path": output.path, "sha256": output.sha256}
        console.document({**fields, "differences": [*differences]})
    console.say(f"{output.path} is the picture of {asset} now")
    block = project.lock.block(AssetName(asset), project.spec.profile)
    if block and block.decision and block.decision.sha256 != output.sha256:
        console.say(f"no longer {block.decision.state.value}: the picture is another one")
    if differences:
        console.say(f"it differs from what the spec asks for: {'; '.join(differences)}")


COMMAND: Final[click.Command] = adopt
