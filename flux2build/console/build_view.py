"""A build for people and programs: line by line while it runs, then its summary."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.building.report import Event, Report
from flux2build.console.console import Console
from flux2build.console.plan_view import counted
from flux2build.digest import Json
from flux2build.errors import Exit, Problem
from flux2build.ledger import Intended
from flux2build.model import AssetName, Derive, Key, Recipe
from flux2build.planning.reason import ReasonCode, because
from flux2build.planning.verdict import Action
from flux2build.providers.pricing import money

_PAST: Final = {
    Action.RENDER: "rendered",
    Action.RESUME: "collected",
    Action.ADOPT: "adopted",
    Action.RESTORE: "restored",
    Action.DERIVE: "derived",
}


class BuildView(Struct):
    """Prints what happens: one line for each step, and each problem once."""

    console: Console
    located: Callable[[Problem, Key], Problem]
    """Puts a problem at a key of the spec."""
    naming: bool = False
    """Whether each step is named even beside a progress bar."""
    _printed: set[tuple[AssetName, str]] = field(default_factory=set)
    _common: set[Problem] = field(default_factory=set)
    _hints: set[str] = field(default_factory=set)

    def show(self, event: Event) -> None:
        """Print what happened to a step; beside a progress bar, only problems."""
        recipe, verdict = event.recipe, event.verdict
        if event.blocked is not None:
            self._blocked(recipe, event.blocked)
        elif event.problems:
            tell = self._shared if event.for_all else self._problem
            for problem in event.problems:
                tell(recipe, problem, "warning" if event.begun else "error")
        elif verdict.action is not Action.KEEP and (
            self.naming or not self.console.live or self.console.verbosity > 0
        ):
            style = "dim" if verdict.action is Action.DERIVE else ""
            self._line(verdict.action.value, recipe, because(recipe, verdict.reasons), style)

    def _line(self, verb: str, recipe: Recipe, why: str, style: str) -> None:
        self.console.say(f"{verb:<8} {recipe.label}  ({why})", style)

    def _blocked(self, recipe: Recipe, culprit: AssetName) -> None:
        """Name the asset that a file waited for, unless the file belongs to it."""
        if culprit != recipe.asset:
            self._line("blocked", recipe, f"`{culprit}` was not made", "yellow")

    def _shared(self, _recipe: Recipe, problem: Problem, label: str) -> None:
        """Print a problem that keeps many files from being made, once."""
        if problem not in self._common:
            self._common.add(problem)
            self.console.problem(problem, label)

    def _problem(self, recipe: Recipe, problem: Problem, label: str) -> None:
        """Print a problem, unless another file of the asset had the same one; each hint once."""
        if (recipe.asset, problem.message) in self._printed:
            return
        self._printed.add((recipe.asset, problem.message))
        if f"`{recipe.asset}`" not in problem.message:
            problem = replace(problem, message=f"`{recipe.asset}`: {problem.message}")
        if problem.place is None and isinstance(recipe.task, Derive):
            problem = self.located(problem, recipe.key)
        if problem.hint in self._hints:
            problem = replace(problem, hint=None)
        self._hints |= {problem.hint} if problem.hint else set()
        self.console.problem(problem, label)


def summary(report: Report) -> str:
    """The counts of all steps, in one line."""
    if report.overtaken:
        return "Edited meanwhile; what is being rendered goes on if it is still wanted."
    counts = Counter(verdict.action for _, verdict in report.done)
    parts = [f"{counts[a]} {_PAST[a]}" for a in Action if counts[a] and a in _PAST]
    parts += [f"{len(report.failures)} failed"] if report.failures else []
    parts += [f"{len(report.blocked)} blocked"] if report.blocked else []
    parts += [f"{len(report.waiting)} waiting"] if report.waiting else []
    return "Built: " + ", ".join([*parts, f"{counts[Action.KEEP] + report.kept} up to date"]) + "."


def decisions(report: Report, *, rerolled: bool = False) -> Iterator[tuple[str, str]]:
    """The open decisions, each with its command; `rerolled` if further candidates were ordered."""
    for culprit in dict.fromkeys(waiting.culprit for _, waiting in report.waiting):
        others = {recipe.asset for recipe, waiting in report.waiting if waiting.culprit == culprit}
        count = len(others - {culprit})
        also = f"; {counted(count, 'asset')} {'waits' if count == 1 else 'wait'} for it"
        also = also if count else ""
        first = next(waiting for _, waiting in report.waiting if waiting.culprit == culprit)
        code = first.reason.code
        sentence, hint = (_REROLLED if rerolled else {}).get(code, _DECISIONS[code])
        hint = (
            hint.replace("build --reopen", "build --force {0} --reopen") if first.forced else hint
        )
        yield f"`{culprit}` {sentence}{also}", hint.format(shlex.quote(culprit))


_APPROVE: Final = "look at it, then `flux2build approve {0}`"
_DECISIONS: Final = {
    ReasonCode.UNPICKED: (
        "waits for a pick",
        "`flux2build candidates {0} -o sheet.png` shows them, `flux2build pick {0} 1` takes the first",
    ),
    ReasonCode.UPSTREAM_UNAPPROVED: ("waits for approval", _APPROVE),
    ReasonCode.APPROVED: (
        "is approved, and was not rendered again",
        "`flux2build build --reopen {0}` renders it, `flux2build hold {0}` keeps it as it is",
    ),
    ReasonCode.HELD: (
        "is held, and was not rendered again",
        "`flux2build build --reopen {0}` renders it",
    ),
    ReasonCode.REJECTED: (
        "was rejected",
        "change its prompt, or `flux2build reroll {0}`, then pick; or `flux2build approve {0}`",
    ),
    ReasonCode.DISPUTED: (
        "has two decisions that contradict each other",
        "`flux2build approve {0}` or `flux2build reject {0}` settles it",
    ),
}
"""A sentence about a picture that waits for a decision, and a hint."""

_FURTHER: Final = "`flux2build reroll {0} --reopen {0}` orders further ones all the same"
_REROLLED: Final = {
    ReasonCode.APPROVED: ("is approved, so no further one was ordered", _FURTHER),
    ReasonCode.HELD: ("is held, so no further one was ordered", _FURTHER),
}
"""The same for a picture of which further candidates were ordered."""


def spending(report: Report, *, every: bool) -> Iterator[str]:
    """The sum that was spent, in one line; with `every`, after a line for each order."""
    if not report.costs and not report.reserved:
        return
    for asset, cost in report.costs if every else ():
        yield f"{money(cost):<8} {asset}"
    more = f"; up to {money(report.reserved)} more may be charged" if report.reserved else ""
    yield f"Spent: {money(report.spent)} for {counted(len(report.costs), 'order')}{more}."


def as_json(report: Report, collected: Iterable[Intended], exit_code: Exit) -> dict[str, Json]:
    """The documented JSON of `build --json`."""
    waiting: list[Json] = [
        {"asset": recipe.asset, "output": recipe.output, "for": error.culprit}
        for recipe, error in report.waiting
    ]
    return {
        "done": [
            {
                "asset": recipe.asset,
                "output": recipe.output,
                "action": verdict.action.value,
                **({"candidate": recipe.candidate} if recipe.candidate else {}),
            }
            for recipe, verdict in report.done
        ],
        "failed": [
            {"asset": recipe.asset, "output": recipe.output, "message": str(failure)}
            for recipe, failure in report.failures
        ],
        "blocked": [
            {"asset": recipe.asset, "output": recipe.output, "by": culprit}
            for recipe, culprit in report.blocked
        ],
        "collected": [{"asset": each.asset, "order": each.attempt} for each in collected],
        "orders": [{"asset": asset, "cost": f"{cost:f}"} for asset, cost in report.costs],
        "spent": f"{report.spent:f}",
        "reserved": f"{report.reserved:f}",
        **({"waiting": waiting} if waiting else {}),
        **({"sketches": [*report.sketches]} if report.sketches else {}),
        "exit_code": int(exit_code),
    }
