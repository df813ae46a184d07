"""Nothing is about to be paid for that a slightly smaller size has for less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from flux2build.checks.contract import Check, Facts, Finding, Level, Options, Severity
from flux2build.model import Generate
from flux2build.planning.verdict import Action
from flux2build.providers.pricing import cliff, megapixels, size_of

_CODE: Final = "megapixel-cliff"


class PriceOptions(Options):
    """Options of `price`: a warning, unless it is to be an error."""

    severity: Level = Field(default="warning", description="how much its findings weigh")


@dataclass(frozen=True, slots=True)
class Price:
    """A size just above a billed megapixel, of a picture that is not paid for yet."""

    name: str = "price"
    options: type[Options] = PriceOptions

    @property
    def codes(self) -> dict[str, str]:
        """The one code it reports."""
        return {_CODE: "the size is just above a billed megapixel"}

    def findings(self, facts: Facts, _options: Options) -> Iterator[Finding]:
        """A warning for each order that a smaller size would make cheaper."""
        for step in facts.plan.steps:
            task, recipe = step.recipe.task, step.recipe
            if step.verdict.action is not Action.RENDER or not isinstance(task, Generate):
                continue
            card, size = facts.cards[task.provider][task.model], size_of(task.params)
            found = cliff(card, task.params)
            if size and found:
                yield Finding(
                    code=_CODE,
                    severity=Severity.WARNING,
                    message=f"{size[0]} by {size[1]} is billed as {megapixels(*size)} megapixels",
                    asset=recipe.asset,
                    path=recipe.output,
                    place=facts.spec.place((*recipe.key, "width")),
                    hint=f"{found}",
                )


CHECK: Final[Check] = Price()
