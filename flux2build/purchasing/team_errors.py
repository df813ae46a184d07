"""The errors of orders that follow from the team's store."""

from __future__ import annotations

from flux2build.errors import DecisionError, Problem, SystemFault
from flux2build.model import Recipe
from flux2build.sharing.records import RecordError, SharedClaim, settled


def claimed(recipe: Recipe, claim: SharedClaim) -> DecisionError:
    """The error for an order that another machine of the team has claimed without a result."""
    name = claim.attempt[:8]
    verb = "bought" if claim.task else "may have bought"
    whose = " with another key or provider" if claim.task else ""
    way = (
        f"the machine that bought it collects it; `flux2build orders write-off {name}` gives it up"
        if claim.task
        else settled(name)
    )
    return DecisionError(
        f"another machine of the team {verb} `{recipe.asset}`{whose}, and its picture is not here",
        rows=(
            ("claimed", f"{claim.at}, {claim.provider}/{claim.model}"),
            ("order", claim.attempt),
            *((("task", claim.task),) if claim.task else ()),
        ),
        hint=f"build again if it is still at it; {way}",
    )


def unreadable(recipe: Recipe, error: RecordError) -> DecisionError:
    """The error for an order with an unreadable record in the team's store."""
    (problem,) = error.problems
    message = f"`{recipe.asset}` may have been bought already: {problem.message}"
    return DecisionError(message, rows=problem.rows, hint=problem.hint)


def unclaimed(recipe: Recipe, fault: SystemFault) -> SystemFault:
    """The error for an order that was not sent, because it could not be claimed."""
    alone = '`when_down = "alone"` under `[store]` buys without the team'
    return SystemFault(
        *(
            Problem(
                f"`{recipe.asset}` was not ordered: {problem.message}",
                hint=f"{problem.hint}; {alone}" if problem.hint else alone,
            )
            for problem in fault.problems
        )
    )
