"""Reports a lock that is missing, or that git ignores."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from flux2build.digest import Digest
from flux2build.errors import DecisionError, Problem
from flux2build.model import Generate, Recipe
from flux2build.planning.plan import Plan
from flux2build.planning.reason import ReasonCode
from flux2build.storage import git
from flux2build.storage.disk import root_of
from flux2build.storage.repository import Repository


def missing(
    lock: Path,
    recipes: Sequence[Recipe],
    files: Mapping[str, Digest],
    known: Callable[[Recipe, Digest], bool],
) -> Problem | None:
    """The problem of a missing lock beside outputs, if some pictures are not `known`.

    A build that ended before it wrote the lock made the known ones: bought pictures are in the
    ledger, and drawn ones in the store.
    """
    pictures = [recipe for recipe in recipes if isinstance(recipe.task, Generate)]
    digests = ((recipe, files.get(recipe.output)) for recipe in pictures)
    unknown = {recipe.asset for recipe, at in digests if at is None or not known(recipe, at)}
    outputs = sum(each.asset in unknown and each.output in files for each in recipes)
    if not outputs:
        return None
    back = "bring it back from git, or from whoever built the pictures, and commit it beside them"
    if (file := _ignoring(lock)) is not None:
        remedy = f"use {_add(lock)}" if Path(file).is_absolute() else "take that out"
        back = f"a line in `{file}` has git ignore it: {remedy}, and {back}"
    return Problem(
        f"there is no `{lock.name}` beside {outputs} of {len(recipes)} outputs: was it committed?",
        hint=f"{back}; move files away that are not from a build",
    )


def ignored(lock: Path) -> Problem | None:
    """The warning that git ignores a lock; None if it does not."""
    file = _ignoring(lock)
    if file is None:
        return None
    remedy = f"take that line out, or add `!{lock.name}` below it"
    if Path(file).is_absolute():
        remedy = f"{_add(lock)}, or add `!{lock.name}` to the `.gitignore` of the repository"
    return Problem(
        f"git ignores `{lock.name}`, because of a line in `{file}`",
        hint=f"{remedy}; then commit the lock: without it, a clone does not know what is paid for",
    )


def refuse_to_pay(lockless: Problem | None, plan: Plan) -> None:
    """Refuse to buy while a lock is missing that may list the existing pictures.

    Raises:
        DecisionError: a picture would be bought that `--force` does not name.
    """
    bought = (step for step in plan.steps if step.high != 0)
    if lockless is None or all(step.verdict.due_to(ReasonCode.REQUESTED) for step in bought):
        return
    message = f"nothing is bought: {lockless.message}"
    hint = f"{lockless.hint}; `flux2build build --force ASSET` buys an asset all the same"
    raise DecisionError(Problem(message, hint=hint))


def _ignoring(lock: Path) -> str | None:
    """The ignore file that hides a lock: of the project, or of a person's configuration of git."""
    root, folder = root_of(lock.parent), lock.parent
    if (file := git.ignoring(root, folder, lock.name)) is not None:
        return file
    tracked = git.Tracked(root, folder)
    if tracked.known and lock.name in tracked:
        return None
    return Repository(root, folder).ignored_by(lock.name)


def _add(lock: Path) -> str:
    """The command that adds a lock which git ignores, from the current folder."""
    return f"`git add -f {shlex.quote(Path(os.path.relpath(lock)).as_posix())}`"
