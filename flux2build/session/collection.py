"""Collects the orders that no step of a plan asks for, before anything else is done.

This costs nothing and asks nothing. If one of them fails, the error is reported,
the order stays in the ledger, and the build goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.building import event_loop
from flux2build.building.signals import heeded
from flux2build.errors import DecisionError, Exit, Flux2BuildError, Problem, SystemFault
from flux2build.ledger import Intended
from flux2build.ledger.journal import Journal
from flux2build.planning.open_orders import OpenOrder
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Refusal, Remote
from flux2build.purchasing import order_errors
from flux2build.purchasing.budget import BudgetGuard
from flux2build.purchasing.collecting import Collector
from flux2build.purchasing.http import Client
from flux2build.purchasing.safekeeping import Places, Safekeeping
from flux2build.purchasing.spool import spool_of
from flux2build.purchasing.unasked import UnaskedOrders
from flux2build.session import remote
from flux2build.session.project import Project
from flux2build.storage.disk import home

PATIENCE: Final = 30.0
"""The most seconds to wait for a picture that is not ready yet; it cannot expire before."""


class Outcome(Struct):
    """The collected orders, the problems, and the exit code of the build for them."""

    problems: list[Problem] = field(default_factory=list)
    exit: Exit = Exit.DONE
    collected: list[Intended] = field(default_factory=list)


def collect(
    project: Project, orders: Sequence[OpenOrder], say: Callable[[str], None], patience: float
) -> Outcome:
    """Collect orders into the store and the ledger, except those that another build holds.

    `patience` is the most seconds to wait for a picture; with 0, each is asked for once.

    Raises:
        KeyboardInterrupt: a person asked to stop.
    """
    collection = _Collection(project, say, patience, asyncio.Event())
    idle = [order for order in orders if _idle(project.journal, order)]
    if not idle:
        return collection.outcome
    try:
        event_loop.run(collection.run(idle))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    if collection.halt.is_set():
        raise KeyboardInterrupt
    collection.outcome.collected.sort(key=[order.intended for order in idle].index)
    return collection.outcome


def _idle(journal: Journal, order: OpenOrder) -> bool:
    """Whether no other build is working on an order."""
    with journal.claims.free(order.intended.order) as free:
        return free


class _Collection(Struct, frozen=True):
    project: Project
    say: Callable[[str], None]
    patience: float
    halt: asyncio.Event
    outcome: Outcome = field(default_factory=Outcome)

    async def run(self, orders: Sequence[OpenOrder]) -> None:
        by_provider: dict[str, list[OpenOrder]] = {}
        for order in orders:
            by_provider.setdefault(order.intended.provider, []).append(order)
        with heeded(self.halt, self.say):
            await asyncio.gather(*(self._all(*each) for each in by_provider.items()))

    async def _all(self, name: str, orders: Sequence[OpenOrder]) -> None:
        """Collect the orders of one provider; an error that concerns all is reported once."""
        try:
            client, account = self._client(name)
            async with client:
                if refused := await client.connect():
                    untrusted = refused.refusal is Refusal.UNTRUSTED
                    hint = order_errors.TRUST if untrusted else None
                    raise SystemFault(refused.message, hint=hint)
                unasked = UnaskedOrders(self._collector(client), account)
                await asyncio.gather(*(self._one(unasked, client, each) for each in orders))
        except Flux2BuildError as failure:
            assets = ", ".join(sorted({f"`{each.intended.asset}`" for each in orders}))
            self.outcome.problems.append(order_errors.waiting(assets, failure))

    def _client(self, name: str) -> tuple[Client, str]:
        """The client of a provider, and the user's account there.

        Raises:
            Flux2BuildError: the provider is not known, has no key, or is not set up.
        """
        provider = PROVIDERS.get(name)
        if not isinstance(provider, Remote):
            raise SystemFault(f"this flux2build has no paid provider `{name}`")
        account = remote.account_of(self.project.settings, provider)
        if not account:
            variable = provider.key_variable
            hint = f"set {variable} in the environment or with `--env-file`, then build again"
            raise SystemFault(f"`{variable}` is not set", hint=hint)
        own = remote.limits_of(self.project.settings)
        patient = replace(own, deadline=min(own.deadline, self.patience))
        client = remote.client_of(self.project.settings, provider, patient, self.halt, self.say)
        return client, account

    def _collector(self, client: Client) -> Collector:
        project = self.project
        places = Places(project.lock_path)
        keeping = Safekeeping(project.store, project.journal, spool_of(home()), places, self.say)
        return Collector(client, remote.books_of(project, keeping, BudgetGuard(), self.say))

    async def _one(self, unasked: UnaskedOrders, client: Client, order: OpenOrder) -> None:
        asset = order.intended.asset
        try:
            async with client.turn() as turn:
                collected = await unasked.collect(order.intended, turn)
        except Flux2BuildError as failure:
            self.outcome.problems += failure.problems
            if order.ours and isinstance(failure, DecisionError):
                self.outcome.exit = Exit.DECIDE
        else:
            if collected:
                self.outcome.collected.append(order.intended)
                self.say(f"collect  {asset}  (ordered before, already paid)")
