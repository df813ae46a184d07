"""A person has approved the pictures that need it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from flux2build.checks.contract import Check, Level, Options, Subject
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.lockfile import ReviewState
from flux2build.model import Generate
from flux2build.tables.table import Field

_CODE: Final = "unapproved"


class ReviewOptions(Options):
    """Options of `review`."""

    severity: Level = "warning"
    required: list[str] = Field(
        default=[],
        description="pictures that a person has to approve, by name or tag, as "
        '`["tag:brand"]`; beside those that say `review = "required"`',
    )


def findings(facts: Facts, _options: ReviewOptions) -> Iterator[Finding]:
    """A picture that has to be approved, and whose bytes nobody has approved or rejected yet.

    `check --require-approved` makes it an error, and asks for the approval of every picture where
    the spec requires none.
    """
    for step in facts.plan.steps:
        recipe = step.recipe
        rendered = isinstance(recipe.task, Generate) and not recipe.candidate
        if not rendered or recipe.asset not in facts.reviewed:
            continue
        block = facts.lock.block(recipe.asset, facts.spec.profile)
        if block is None or block.generated is None:  # there is nothing to look at yet
            continue
        review = block.decision
        if review is None or review.state is ReviewState.HELD:
            name = shlex.quote(recipe.asset)
            hint = f"look at it, then `flux2build approve {name}` or `flux2build reject {name}`"
            yield facts.about(recipe, _CODE, "nobody has approved the picture", hint=hint)


CHECK: Final[Check] = Check(
    {_CODE: "a picture that needs it is not approved"},
    findings,
    ReviewOptions,
    subject=Subject.STEPS,
)
