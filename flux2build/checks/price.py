"""No order costs more than one of a slightly smaller size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Options, Subject, Warnings
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.model import Generate
from flux2build.planning.verdict import Action
from flux2build.providers.pricing import cliff, megapixels, size_of

_CODE: Final = "megapixel-cliff"


def findings(facts: Facts, _options: Options) -> Iterator[Finding]:
    """A picture that is not paid for yet, and whose size is just above a billed megapixel."""
    for step in facts.plan.steps:
        task, recipe = step.recipe.task, step.recipe
        due = step.verdict.action is Action.RENDER and recipe.candidate < 2
        if not due or not isinstance(task, Generate):
            continue
        card, size = facts.cards[task.provider][task.card], size_of(task.params)
        smaller = cliff(card, task.params)
        if size and smaller:
            message = f"{size[0]} by {size[1]} is billed as {megapixels(*size)} megapixels"
            key = (*recipe.key, "width")
            yield facts.about(recipe, _CODE, message, hint=str(smaller), key=key)


CHECK: Final[Check] = Check(
    {_CODE: "the size is just above a billed megapixel"}, findings, Warnings, subject=Subject.STEPS
)
