"""Files, lock and spec agree."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from flux2build.checks.contract import Check, Options, Subject
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.model import Generate, Write
from flux2build.planning.plan import Step
from flux2build.planning.reason import PENDING, SETTLED_BY, ReasonCode, because
from flux2build.planning.verdict import Action

_BY_REASON: Final = {
    **SETTLED_BY,
    ReasonCode.OUTPUT_POINTER: "`git lfs pull` fetches it",
    ReasonCode.OUTPUT_UNKNOWN: "neither lock nor ledger tells where it comes from: bring the lock "
    "back, or move the file away; `flux2build build` tells more",
    ReasonCode.PAID_FINAL: "let each profile have an `output` of its own, such as "
    '`[profile.draft] output = "comps"`; `flux2build build` tells more',
    ReasonCode.PAID_FOR: "bring its file back from git, or from a machine that has it; "
    "`flux2build build` tells how",
    ReasonCode.UNRECORDED: "`flux2build orders recover` rebuilds the ledger; `flux2build doctor` tells more",
    ReasonCode.MODERATED: "change the prompt or the seed",
    ReasonCode.UNPICKED: "`flux2build candidates {} -o sheet.png` shows them: pick one",
    ReasonCode.UPSTREAM_UNPICKED: "pick one of its candidates first, then build",
    ReasonCode.UPSTREAM_UNAPPROVED: "look at it, then `flux2build approve {}`, then build",
    ReasonCode.APPROVED: "`flux2build build --reopen {}` renders it again, "
    "`flux2build hold {}` keeps it as it is",
    ReasonCode.REJECTED: "change its prompt, or `flux2build reroll {}`, then pick; "
    "or `flux2build approve {}`",
    ReasonCode.DISPUTED: "`flux2build approve {}` or `flux2build reject {}` settles it",
    ReasonCode.UPSTREAM_WAITING: "decide about that first, then build",
}
"""The command that settles a reason; `{}` stands for the asset that a person decides about."""
_BY_ACTION: Final = {
    Action.RESTORE: "`flux2build build` restores it, free",
    Action.ADOPT: "`flux2build build` adopts it, free",
    Action.RESUME: "`flux2build build` collects it, already paid",
    Action.DERIVE: "`flux2build build` derives it, free",
}
_OF_OTHERS: Final = frozenset({ReasonCode.UPSTREAM_UNAPPROVED})
"""The reasons whose subject is the asset to decide about."""
_OF_INPUTS: Final = frozenset({ReasonCode.REF_CHANGED, ReasonCode.UPSTREAM_CHANGED})
"""The reasons that are about an input, which several files may share."""


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A file that a build would make or replace, with the reasons for it."""
    causes: dict[str, str] = {}
    for step in facts.plan.steps:
        if step.drift and step.recipe.candidate < 2:  # an asset's candidates share their reasons
            recipe, reasons = step.recipe, step.verdict.reasons
            message = because(recipe, reasons)
            about = facts.about(recipe, reasons[0].code, message, hint=_hint(step))
            yield replace(about, cause=_cause(step, causes))


def _cause(step: Step, causes: dict[str, str]) -> str:
    """The cause of a step: a file, an entry of the spec, or the cause of its inputs.

    `causes` are those of earlier steps, by the names of their outputs as inputs.
    """
    recipe, own = step.recipe, [r for r in step.verdict.reasons if r.code not in PENDING]
    place = ".".join(map(str, recipe.key))
    above = (causes[name] for name in map(str, recipe.inputs) if name in causes)
    if own:
        source = own[0].code in _OF_INPUTS and own[0].subject in map(str, recipe.inputs)
        cause = str(own[0]) if source else f"{place} {own[0]}"
    else:
        cause = next(above, place)
    causes[f"output:{recipe.output}"] = cause
    if isinstance(recipe.task, Generate):
        causes[f"asset:{recipe.asset}"] = cause
    return cause


def _hint(step: Step) -> str:
    """What to do about a file; a build does not mend everything."""
    for reason in step.verdict.reasons:
        if reason.code in _BY_REASON:
            asset = reason.subject if reason.code in _OF_OTHERS else step.recipe.asset
            return _BY_REASON[reason.code].replace("{}", shlex.quote(asset))
    if step.missing:
        return step.missing
    if isinstance(step.recipe.task, Write) and step.verdict.action is Action.DERIVE:
        return "`flux2build build` writes it, free"
    if step.verdict.action in _BY_ACTION:
        return _BY_ACTION[step.verdict.action]
    if step.high == 0:
        return "`flux2build build` renders it, free"
    return "`flux2build plan` shows the price, `flux2build build` renders it"


CHECK: Final[Check] = Check(
    {code: code.phrase.replace("{}", "…") for code in ReasonCode}, findings, subject=Subject.STEPS
)
