"""Merge the lock, and settle what a merge has left."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from flux2build import lockfile
from flux2build.building.run_lock import held
from flux2build.cli.command import command
from flux2build.console.console import Console
from flux2build.errors import Exit, LockError, UsageError
from flux2build.lockfile import ReviewState
from flux2build.lockfile.three_way import merged, side_by_side
from flux2build.session.common_options import CommonOptions
from flux2build.session.project import Project
from flux2build.storage import disk, durable, regular


@click.group("lock", no_args_is_help=False)
def lock() -> None:
    """Merge the lock, and settle what a merge has left."""


@lock.add_command
@command("resolve")
def resolve(options: CommonOptions) -> Exit:
    """Settle what a merge has left in the lock.

    Of each asset the side stays that the merged spec asks for, whether git left its markers or somebody
    took them out and kept both sides. Every receipt stays. Nothing is rendered, and nothing is paid. Two
    decisions about one picture that contradict each other are left to a person, with exit code 5.
    """
    project, console = Project.open(options), Console.of(options)
    with held(project.folder, "flux2build lock resolve", None, console.say):
        project = project.reread()
        conflicted, lock = project.conflicted, project.lock
        if conflicted:
            disk.replace(project.lock_path, lockfile.dumps(lock).encode())
    disputed = sorted(
        {
            block.asset
            for block in lock.blocks.values()
            if block.decision and block.decision.state is ReviewState.DISPUTED
        }
    )
    if options.json:
        console.document({"resolved": conflicted, "disputed": [*disputed]})
    name = project.lock_path.name
    console.say(f"reconciled both sides of {name}" if conflicted else f"{name} has no conflicts")
    for asset in disputed:
        console.warn(
            f"`{asset}` has two decisions that contradict each other",
            f"`flux2build approve '{asset}'` or `flux2build reject '{asset}'` settles it",
        )
    return Exit.DECIDE if disputed else Exit.DONE


@lock.add_command
@click.command("merge")
@click.argument("base", type=click.Path())
@click.argument("ours", type=click.Path())
@click.argument("theirs", type=click.Path())
@click.argument("path", default="assets.lock")
def merge(base: str, ours: str, theirs: str, path: str) -> Exit:
    """Merge two locks, as git's merge driver.

    This sets it up in a clone, beside the line `assets.lock merge=flux2build` in .gitattributes:

    \b
    git config merge.flux2build.driver 'flux2build lock merge %O %A %B %P'

    The result is written to OURS. What only one side changed is taken. Where both did, in different ways, both
    stay between markers, and `flux2build lock resolve` settles it once the spec is merged; then this
    exits with 1, as git expects.
    """  # noqa: D301 - `\b` is a mark for click
    texts = [_text(file) for file in (base, ours, theirs)]
    try:
        old, own, other = (
            lockfile.loads(text, path) if text else lockfile.Lockfile() for text in texts
        )
    except LockError:
        text, conflicts = side_by_side(texts[1], texts[2]), 1
    else:
        text, conflicts = merged(old, own, other)
    durable.replace(Path(ours), text.encode())
    return Exit.DRIFT if conflicts else Exit.DONE


def _text(file: str) -> str:
    try:
        return lockfile.decoded(regular.read(file), file)
    except FileNotFoundError:
        raise UsageError(f"there is no file `{file}`") from None


COMMAND: Final[click.Command] = lock
