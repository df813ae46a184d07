"""Remembers in the index that a tree is clean, so that the next call need not judge it."""

from __future__ import annotations

from flux2build.session.project import Project
from flux2build.storage.index import answer_key


def remember(project: Project, answer: str) -> None:
    """Note what to answer while nothing changes, if this tree is clean.

    The note says what every file was when it was judged; a file that is already
    another one by now makes it void. `check` has a note of its own: a check may
    find something where a build has nothing to do.
    """
    plan = project.whole
    if plan.drift or project.conflicted or any(step.verdict.reasons for step in plan.steps):
        return
    commands = ("build",) if project.findings() else ("build", "check")
    states = project.judged(plan)
    for command in commands:
        key = answer_key(command, project.file, project.options.profile)
        project.index.remember(key, answer, sorted(states), states)
    project.index.save()
