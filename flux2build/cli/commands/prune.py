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
from flux2build.digest import Json
from flux2build.errors import Problem
from flux2build.planning.plan import Orphan, pruned
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
    staying = _staying(project)
    if options.json:
        console.document({"orphans": [_as_json(*each) for each in staying.items()], "removed": yes})
    else:
        for orphan in staying:
            console.data(f"- {orphan.path}  ({orphan.asset}, {orphan.profile})")
    if not staying:
        console.say("Nothing is left over.")
    elif yes:
        _remove(project, console)
    else:
        for problem in filter(None, staying.values()):
            console.problem(problem, "warning")
        console.say(_announced(len(staying), sum(map(bool, staying.values()))))


def _staying(project: Project) -> dict[Orphan, Problem | None]:
    """The outputs that are not wanted any more, each with the reason if its file stays."""
    removal, snapshot = project.removal(), project.snapshot()

    def reason(orphan: Orphan) -> Problem | None:
        digest = snapshot.files.get(orphan.path)
        if digest is None:
            return None
        if digest != orphan.sha256:
            return Problem(f"`{orphan.path}` was edited by hand and stays")
        return removal.refusal(orphan.path, digest, requested=True)

    return {orphan: reason(orphan) for orphan in project.plan().orphans}


def _as_json(orphan: Orphan, stays: Problem | None) -> dict[str, Json]:
    row: dict[str, Json] = {
        "asset": orphan.asset,
        "profile": orphan.profile,
        "path": orphan.path,
    }
    return row | ({"stays": stays.message} if stays else {})


def _announced(count: int, staying: int) -> str:
    """A sentence about what `--yes` would do."""
    left_over = plan_view.left_over(count)
    if not staying:
        return f"{left_over}; `--yes` removes {'it' if count == 1 else 'them'}."
    if staying == count:
        return f"{left_over}; `--yes` takes {'it' if count == 1 else 'them'} out of the lock only."
    return f"{left_over}; `--yes` removes {count - staying}, and takes all out of the lock."


def _remove(project: Project, console: Console) -> None:
    """Remove the files that are not wanted any more, then their rows in the lock.

    If a file stays, only its row is removed.
    """
    with held(project.folder, "flux2build prune", None, console.say):
        project = project.reread()
        artifacts = Artifacts(project.folder, project.store, {})
        staying = _staying(project)
        for orphan, problem in staying.items():
            if problem is not None:
                console.problem(problem, "warning")
            elif orphan.path in project.snapshot().files:
                artifacts.remove(orphan.path)
                console.say(f"removed {orphan.path}")
        lock = pruned(project.lock, staying)
        disk.replace(project.lock_path, lockfile.dumps(lock).encode())


COMMAND: Final[click.Command] = prune
