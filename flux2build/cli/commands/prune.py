"""Remove outputs that the spec no longer wants."""

from __future__ import annotations

from typing import Final

import click

from flux2build import lockfile
from flux2build.building.artifacts import Artifacts
from flux2build.building.run_lock import held
from flux2build.cli.command import command, option
from flux2build.console import plan_view
from flux2build.console.console import Console
from flux2build.planning.plan import pruned
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from flux2build.storage import disk


@command("prune")
@option("-y", "--yes", is_flag=True, help="Remove them instead of only listing them.")
def prune(options: CommonOptions, *, yes: bool) -> None:
    """Remove outputs that the spec no longer wants.

    Lists them; `--yes` removes the files and their rows in the lock. The bytes
    stay in the store. A file that was edited by hand, or is not proved to be an
    output, stays in place.
    """
    project, console = Project.open(options), Console.of(options)
    orphans = project.plan().orphans
    if options.json:
        rows = [{"asset": o.asset, "profile": o.profile, "path": o.path} for o in orphans]
        console.document({"orphans": rows, "removed": yes})
    else:
        for orphan in orphans:
            console.data(f"- {orphan.path}  ({orphan.asset}, {orphan.profile})")
    if not orphans:
        console.say("Nothing is left over.")
    elif yes:
        _remove(project, console)
    else:
        console.say(
            f"{plan_view.left_over(len(orphans))}; `--yes` removes {'it' if len(orphans) == 1 else 'them'}."
        )


def _remove(project: Project, console: Console) -> None:
    """Remove the files that are left over, then their rows in the lock.

    A file that was edited by hand stays; only its row is removed.
    """
    with held(project.folder, "flux2build prune", None, console.say):
        project = project.reread()
        orphans, snapshot = project.plan().orphans, project.snapshot()
        artifacts = Artifacts(project.folder, project.store, {})
        removal = project.removal()
        for orphan in orphans:
            digest = snapshot.files.get(orphan.path)
            if digest == orphan.sha256:
                refused = removal.refusal(orphan.path, digest, asked=True)
                if refused is not None:
                    console.problem(refused, "warning")
                    continue
                artifacts.remove(orphan.path)
                console.say(f"removed {orphan.path}")
            elif digest is not None:
                console.warn(f"`{orphan.path}` was edited by hand and stays")
        lock = pruned(project.lock, orphans)
        disk.replace(project.lock_path, lockfile.dumps(lock).encode())


COMMAND: Final[click.Command] = prune
