"""What the checks find in a project."""

from __future__ import annotations

from functools import partial

from flux2build.checks.contract import Options, evaluate
from flux2build.checks.facts import Facts, Finding
from flux2build.errors import SpecError, UsageError
from flux2build.model import AssetName
from flux2build.planning.selection import select
from flux2build.session.approval import rendered
from flux2build.session.common_options import Choice
from flux2build.session.project import EVERYTHING, Project


def findings_of(
    project: Project, choice: Choice = EVERYTHING, *, strictly: bool = False
) -> list[Finding]:
    """Return the findings of all checks, in the order of building: causes before consequences.

    `strictly`, what is not approved is an error and, where the spec requires no approval, every
    picture needs one.
    """
    reviewed = project.seen.reviewed or (rendered(project.spec) if strictly else frozenset())
    facts = Facts(
        project.spec,
        project.whole,
        project.lock,
        project.consult,
        project.conflict,
        project.capabilities.cards,
        project.lockless,
        project.doubled,
        reviewed,
    )
    listed = evaluate(facts, partial(_excluded, project), ("review",) if strictly else ())
    findings = list(listed)
    if not choice.everything:
        chosen = project.graph.closure(project.chosen(choice))
        findings = [each for each in findings if not each.asset or each.asset in chosen]
    order = list(dict.fromkeys(step.recipe.asset for step in project.whole.steps))
    rank = {asset: number for number, asset in enumerate(order)}
    return sorted(findings, key=lambda f: rank.get(f.asset, len(rank)) if f.asset else -1)


def _excluded(project: Project, check: str, options: Options) -> frozenset[AssetName]:
    """The assets that a check's `exclude` names."""
    if not options.exclude:
        return frozenset()
    try:
        return select(options.exclude, (), project.selectable(project.whole))
    except UsageError as error:
        key = ("checks", check, "exclude")
        raise SpecError(*(project.spec.located(p, key) for p in error.problems)) from error
