"""No order costs more than one of a slightly smaller size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flux2build.checks.contract import Check, Level, Options
from flux2build.checks.facts import Facts
from flux2build.checks.finding import Finding
from flux2build.model import Generate
from flux2build.planning.verdict import Action
from flux2build.providers.pricing import cliff, megapixels, size_of

_CODE: Final = "megapixel-cliff"


class PriceOptions(Options):
    """Options of `price`."""

    severity: Level = "warning"


@dataclass(frozen=True, slots=True)
class Price:
    """A picture that is not paid for yet, and whose size is just above a billed megapixel."""

    options: type[Options] = PriceOptions

    @property
    def codes(self) -> dict[str, str]:
        """The one code it reports."""
        return {_CODE: "the size is just above a billed megapixel"}

    def findings(self, facts: Facts, _options: Options) -> Iterator[Finding]:
        """One finding for each order that a slightly smaller size would make cheaper."""
        for step in facts.plan.steps:
            task, recipe = step.recipe.task, step.recipe
            if step.verdict.action is not Action.RENDER or not isinstance(task, Generate):
                continue
            card, size = facts.cards[task.provider][task.model], size_of(task.params)
            smaller = cliff(card, task.params)
            if size and smaller:
                message = f"{size[0]} by {size[1]} is billed as {megapixels(*size)} megapixels"
                key = (*recipe.key, "width")
                yield facts.about(recipe, _CODE, message, hint=str(smaller), key=key)


CHECK: Final[Check] = Price()
