"""The balances of the user's accounts at the providers, for `--live`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from flux2build.console.console import Console
from flux2build.model import Generate
from flux2build.planning.plan import Plan
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Refused, Remote
from flux2build.providers.pricing import money
from flux2build.session.remote import balances
from flux2build.session.settings import UserSettings


def warn_of_costs(console: Console, settings: UserSettings, plan: Plan) -> None:
    """Print the balance at each provider that a plan would pay, and warn if it is too small."""
    costs = dict(_costs(plan))
    remote = (PROVIDERS[name] for name in costs)
    providers = [provider for provider in remote if isinstance(provider, Remote)]
    for name, left in balances(settings, providers).items():
        if not isinstance(left, Decimal):
            console.warn(f"what is left at `{name}` is not known: {_why(left)}")
        elif left < costs[name]:
            cost = money(costs[name])
            message = f"the plan costs up to {cost} at `{name}`, where {money(left)} is left"
            console.warn(message, "top the account up, or build a part of it")
        else:
            console.say(f"left at `{name}`: {money(left)}", "dim")


def _costs(plan: Plan) -> Iterator[tuple[str, Decimal]]:
    """The most that a plan may cost at each provider, as far as prices are known."""
    tasks = [(step.recipe.task, step.high) for step in plan.steps if step.high != 0]
    bought = [(task.provider, high) for task, high in tasks if isinstance(task, Generate)]
    for name in sorted({provider for provider, _ in bought}):
        yield name, sum((high or Decimal(0) for each, high in bought if each == name), Decimal(0))


def accounts(settings: UserSettings) -> Iterator[tuple[str, str, bool]]:
    """The balance at each provider with a key: its name, the balance in words, and success."""
    remote = [provider for provider in PROVIDERS.values() if isinstance(provider, Remote)]
    providers = [provider for provider in remote if settings.value(provider.key_variable)]
    for name, left in balances(settings, providers).items():
        if isinstance(left, Decimal):
            yield name, f"{money(left)} left", True
        else:
            yield name, f"what is left is not known: {_why(left)}", left is None


def _why(left: Refused | None) -> str:
    return left.message if left else "this provider does not tell"
