"""A lock that is not there, or that git keeps from everybody else."""

from __future__ import annotations

from flux2build.errors import DecisionError, Problem
from flux2build.planning.plan import Plan
from flux2build.planning.reason import ReasonCode
from flux2build.session.project import Project
from flux2build.storage import git
from flux2build.storage.disk import root_of


def ignored(project: Project) -> Problem | None:
    """The warning that git ignores a project's lock; None if it does not."""
    name = project.lock_path.name
    file = git.ignoring(root_of(project.folder), project.folder, name)
    if file is None:
        return None
    return Problem(
        f"git ignores `{name}`, because of a line in `{file}`",
        hint=f"take that line out, or add `!{name}` below it; then commit the lock: without it, "
        "a clone does not know what is paid for",
    )


def refuse_to_pay(project: Project, plan: Plan) -> None:
    """Refuse to buy while the lock is missing that may tell of the pictures that are there.

    Raises:
        DecisionError: something would be bought that nobody named with `--force`.
    """
    bought = (step for step in plan.steps if step.high != 0)
    if all(step.verdict.due_to(ReasonCode.REQUESTED) for step in bought):
        return
    if (problem := project.lockless) is not None:
        message = f"nothing is bought: {problem.message}"
        hint = f"{problem.hint}; `flux2build build --force ASSET` buys an asset all the same"
        raise DecisionError(Problem(message, hint=hint))
