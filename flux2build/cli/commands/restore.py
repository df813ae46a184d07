"""Bring back a file that a build has replaced."""

from __future__ import annotations

from typing import Final

import click

from flux2build.building.artifacts import Artifacts
from flux2build.building.run_lock import held
from flux2build.cli.command import command
from flux2build.console.console import Console
from flux2build.digest import Digest, short
from flux2build.errors import UsageError
from flux2build.session.common_options import CommonOptions
from flux2build.session.joining import joined
from flux2build.session.project import Project
from flux2build.storage import paths


@command("restore")
@click.argument("digest")
@click.argument("path")
def restore(options: CommonOptions, *, digest: str, path: str) -> None:
    """Bring back a file that a build has replaced.

    A build that replaces a file which it did not write keeps the bytes in the store, and
    prints the command that brings them back: the beginning of their DIGEST, and the PATH
    from the folder of the spec. What only your team's store has is fetched. What lies at the path is kept in the same way. Where the
    spec has an output, the next build replaces the file again.
    """
    console = Console.of(options)
    project = joined(Project.open(options), console.caution)
    output = paths.join("", path)
    if fault := paths.fault(output):
        raise UsageError(f"`{path}` {fault}")
    real = project.tree.real(output)
    what = "a link, or outside the project" if real is None else project.spec.keeps(real)
    if what := what or project.spec.keeps(output):
        raise UsageError(f"`{path}` stays: it is {what}", hint="restore it to another path")
    stored = _stored(project, digest)
    with held(project.folder, "flux2build restore", None, console.say):
        there = project.index.digest(output)
        artifacts = Artifacts(project.folder, project.store, {}, team=project.team)
        artifacts.replace(output, artifacts.get(stored))
    console.say(f"restored {output}")
    if there not in {None, stored}:
        console.say(f"what was there is kept as {short(str(there))}")
    if any(recipe.output == output for recipe in project.spec.recipes):
        console.say("the next build replaces it again: keep it under a name that is not an output")


def _stored(project: Project, beginning: str) -> Digest:
    """The only digest with this beginning in the user's store, or else in the team's.

    Raises:
        UsageError: no digest begins like this, or several do.
    """
    name, team = beginning.removeprefix("sha256:").lower(), project.team
    matches = [each for each in project.store.digests() if each.startswith(f"sha256:{name}")]
    if name and team is not None and not matches:
        matches = team.beginning(name)
    if name and len(matches) == 1:
        return matches[0]
    problem = "several files begin with" if matches else "the store has no file"
    raise UsageError(f"{problem} `{beginning}`", hint="copy the digest as the build printed it")


COMMAND: Final[click.Command] = restore
