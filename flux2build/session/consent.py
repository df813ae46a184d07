"""Consent: the cap of a build, and whether its plan may be carried out without asking."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from flux2build.assetspec.spec import Budget
from flux2build.errors import BudgetError, UsageError
from flux2build.model import AssetName, Derive
from flux2build.planning.plan import Plan
from flux2build.providers.pricing import money, price_range
from flux2build.session import pull_request
from flux2build.session.settings import UserSettings


class Terms(Struct, frozen=True):
    """The conditions of a build: parallel jobs, consent to spend, and how long to wait."""

    jobs: int | None = None
    yes: bool = False
    max_cost: Decimal | None = None
    """The most that one run may spend, in USD."""
    trust_pr: bool = False
    """Whether a pull request from a fork may spend and sign."""
    lock_timeout: float | None = None
    """Seconds to wait for another build; None waits as long as it takes."""
    cluster: str = ""
    """The Dask cluster that derives and renders, as `tcp://host:8786` or `local:2`; empty for none."""
    cluster_mixed: bool = False
    """Whether its workers may have other versions than this machine."""


def cap(budget: Budget, terms: Terms) -> Decimal | None:
    """The most that one run may spend, in USD; None without any cap."""
    caps = (terms.max_cost, budget.per_run)
    return min((amount for amount in caps if amount is not None), default=None)


def _exceeded(price: Decimal, budget: Budget, terms: Terms) -> str:
    """The caps that a price exceeds."""
    caps = {"`--max-cost`": terms.max_cost, "`[budget] per_run`": budget.per_run}
    return " and ".join(name for name, most in caps.items() if most is not None and most < price)


def agreed_to(
    plan: Plan, budget: Budget, terms: Terms, settings: UserSettings, *, attended: bool
) -> bool:
    """Whether a plan may be paid for without asking; `attended` if there is a person to ask.

    The spec may limit what is spent, and have a person asked more often than their own
    configuration says. It cannot agree to anything: it may come from a stranger.

    Raises:
        BudgetError: the plan exceeds a cap, has no price, or needs a person who is absent.
        UsageError: a pull request from a fork would spend or sign, and nobody trusts it.
    """
    if plan.high is None:
        raise _unpriced(plan)
    refuse_strangers(plan, terms, settings)
    if plan.high == 0:
        return True
    limit, price = cap(budget, terms), price_range(plan.low, plan.high)
    if limit is not None and plan.low > limit:
        raise BudgetError(
            f"this build costs {price}, more than the cap of {money(limit)}",
            hint=f"select fewer assets, or raise {_exceeded(plan.low, budget, terms)}",
        )
    if terms.yes or terms.max_cost is not None:
        return True
    if not attended:
        raise BudgetError(
            f"this build costs {price}, and nobody is here to confirm it",
            hint="add `--yes`, or a cap with `--max-cost USD`",
        )
    waived = (settings.confirm_above, budget.confirm_above)
    return plan.high <= min(amount for amount in waived if amount is not None)


def refuse_strangers(plan: Plan, terms: Terms, settings: UserSettings) -> None:
    """Refuse to use the owner's money or certificate for a pull request from a fork.

    Raises:
        UsageError: one would spend or sign, and nobody trusts it.
    """
    if terms.trust_pr:
        return
    signs = any(
        isinstance(step.recipe.task, Derive) and step.recipe.task.encoding.get("sign")
        for step in plan.todo
    )
    if not (plan.high or signs) or (origin := pull_request.stranger(settings.environment)) is None:
        return
    does = f"costs {price_range(plan.low, plan.high)}" if plan.high else "signs files"
    raise UsageError(
        f"this build {does}, and {origin} started it",
        hint="the spec may be a stranger's; read it, then say `flux2build build --trust-pr`",
    )


def _unpriced(plan: Plan) -> BudgetError:
    names = ", ".join(f"`{step.recipe.asset}`" for step in plan.steps if step.high is None)
    return BudgetError(
        f"no price is known for {names}",
        hint="put a price on the model's card in your own configuration; "
        "`flux2build models` lists what is known",
    )


def bill(plan: Plan) -> dict[tuple[AssetName, int], object]:
    """The orders of a plan, with their highest prices, to which a person agrees."""
    return {
        (step.recipe.asset, step.recipe.candidate): (step.recipe, step.verdict.key, step.high)
        for step in plan.steps
        if step.high
    }
