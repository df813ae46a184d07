"""Files, lock and spec agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flux2build.check import Check, Facts, Finding, Severity
from flux2build.model import Derive
from flux2build.plan import Step
from flux2build.verdict import SENTENCES, Action, because

_HINTS: Final = {
    Action.ASK: "see `flux2build orders list`",
    Action.RESUME: "`flux2build build` collects it",
}


@dataclass(frozen=True, slots=True)
class Drift:
    """Anything that a build would do is drift, with the reason for which it would do it."""

    name: str = "drift"

    @property
    def codes(self) -> dict[str, str]:
        """The reason codes of verdicts."""
        return {code: sentence.replace("{}", "…") for code, sentence in SENTENCES.items()}

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """One finding for each file that is not what the spec wants."""
        for step in facts.plan.steps:
            if step.drift:
                yield self._finding(step, facts)

    def _finding(self, step: Step, facts: Facts) -> Finding:
        recipe, verdict = step.recipe, step.verdict
        return Finding(
            code=verdict.reasons[0].code,
            severity=Severity.ERROR,
            message=because(recipe, verdict.reasons),
            asset=recipe.asset,
            path=recipe.output,
            place=facts.spec.place(recipe.key),
            hint=_HINTS.get(verdict.action, self._mend(step)),
        )

    @staticmethod
    def _mend(step: Step) -> str:
        if step.verdict.action in (Action.RESTORE, Action.ADOPT):
            return "`flux2build build` restores it, free"
        if isinstance(step.recipe.task, Derive):
            return "`flux2build build` derives it, free"
        if step.high == 0:
            return "`flux2build build` renders it, free"
        return "`flux2build plan` shows the price, `flux2build build` renders it"


CHECK: Final[Check] = Drift()
