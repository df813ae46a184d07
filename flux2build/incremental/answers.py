"""Remembers in the index that a tree is clean, so that the next call does not judge it again."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flux2build.checks.finding import Finding
from flux2build.digest import of_bytes
from flux2build.incremental import baseline, keeping
from flux2build.incremental.baseline import Baseline, few
from flux2build.incremental.findings import findings_of, standing, subjects
from flux2build.incremental.surroundings import around
from flux2build.planning.plan import Plan
from flux2build.session.project import Project
from flux2build.storage.index_rows import in_order
from flux2build.storage.ledger_mark import answer_key, ledger_key, marked


def remember(
    project: Project, answer: str, checked: Sequence[Finding] | None = None
) -> Baseline | None:
    """Store the answer to give while nothing changes, if this tree is clean; return its baseline.

    The answer is stored with the state of every file at that time; it is void once a file changes.
    `check` has its own answer, as a check may report something even if a build has nothing to do. A
    check, which has the findings, only replaces a baseline that lacks them: a clone that is only
    checked does not need one. Its answer is not an answer to `plan` and `build`, which otherwise
    would never write a baseline.
    """
    plan = project.whole
    if project.conflicted or project.ledger_faults or project.owes_the_team:
        return None
    if plan.drift or plan.orders or any(step.verdict.reasons for step in plan.steps):
        return None if checked is not None else _keep_baseline(project)
    findings = findings_of(project) if checked is None else checked
    commands = ["build"] if checked is None else []
    if not findings:
        commands.append("check")
    if project.weights is not None:
        project.index.learn(project.weights)
    states = states_of(project, plan)
    # Until an order of another tree is settled, this tree collects it, too.
    mark = marked(str(project.journal.path), project.journal.end, time.time_ns())
    project.index.remember(ledger_key(), mark, [])
    keys = [answer_key(each, project.file, project.options.profile) for each in commands]
    project.index.enter(project.tree.rows)
    # A check writes nothing, so the next use of the answer notices any change since.
    touched = None if checked is None else project.index.uncertain
    is_remembered = project.index.remember_all(keys, answer, in_order(states), states, touched)
    base = None
    concerned = standing(findings)
    few_concerned = concerned is not None and len(concerned) <= few(len(project.spec.named))
    writes_baseline = checked is None or (few_concerned and baseline.load(project) is not None)
    if writes_baseline and is_remembered and _all_here(project):
        base = keeping.keep(project, states, concerned, subjects(project.spec))
    project.index.save()
    return base


def _keep_baseline(project: Project) -> Baseline | None:
    """Keep the baseline of a tree that needs only a little work, so that no answer holds."""
    if not _all_here(project):
        return None
    concerned = standing(findings_of(project))
    base = keeping.keep(
        project, states_of(project, project.whole), concerned, subjects(project.spec)
    )
    project.index.save()
    return base


def _all_here(project: Project) -> bool:
    """Whether the plan depends only on the states of the project's files."""
    return project.weights is None and project.seen.files == project.files()


def states_of(project: Project, plan: Plan) -> dict[str, str]:
    """The states, by path, of all files that the verdicts of a clean plan depend on."""
    digests, written = project.files(), project.below_output()
    rows = [row for block in project.lock.blocks.values() for row in block.rows]
    outputs = {row.output.path: row.output.sha256 for row in rows}
    own = [step.recipe.output for step in plan.steps]
    weights = project.weights.asked if project.weights is not None else ()
    files = {
        **{path: state for path, state in project.tree.asked.items() if path not in written},
        **project.consulted,
        **{path: digests[path] for path in project.paths},
        **{path: outputs[path] for path in own if path in outputs},
        project.lock_path.name: of_bytes(project.lock_bytes),
    }
    return {
        **{path: project.index.state(path) for path in around(project, files)},
        **files,
        **project.settings_states,
        **{path: project.index.state(path) for path in weights},
    }
