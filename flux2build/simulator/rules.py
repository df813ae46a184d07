"""Which rule applies to a request: matches are counted, in the order of the scenario."""

from __future__ import annotations

from collections import Counter

from flux2build.simulator.scenario import EARLY, Rule


class Rules:
    """The rules in force, and how often each has matched."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        self._matches: Counter[tuple[int, str]] = Counter()
        self.hits = [0] * len(rules)
        """How often each rule has applied."""

    def early(self, stage: str, dialect: str, model: str) -> Rule | None:
        """The rule that applies to a request before its body is read."""
        for index, rule in enumerate(self._rules):
            if (
                rule.fault in EARLY
                and rule.concerns(stage, dialect, model)
                and self._applies(index, "")
            ):
                return rule
        return None

    def meet(self, stage: str, dialect: str, model: str, *, prompt: str, key: str) -> Rule | None:
        """The first rule that applies to a request; later rules do not count the request.

        `key` names the task, or the order at submission, for rules that count per task.
        """
        for index, rule in enumerate(self._rules):
            if rule.fault in EARLY or not rule.concerns(stage, dialect, model):
                continue
            if rule.mentions(prompt) and self._applies(index, key if rule.per_task else ""):
                return rule
        return None

    def _applies(self, index: int, key: str) -> bool:
        self._matches[index, key] += 1
        applies = self._rules[index].hits(self._matches[index, key])
        self.hits[index] += applies
        return applies
