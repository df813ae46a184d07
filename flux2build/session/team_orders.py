"""Orders as a team sees them: what other machines have claimed, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Final

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError, Problem, UsageError
from flux2build.ledger import Entry, State
from flux2build.ledger.journal import Journal
from flux2build.model import Order
from flux2build.planning.plan import Inputs
from flux2build.purchasing.settling import Purchase, purchases
from flux2build.purchasing.teamwork import Teamwork, entries_of
from flux2build.session.project import Project
from flux2build.session.settings import UserSettings
from flux2build.session.team import held_claims, team_store
from flux2build.sharing.held_claims import HeldClaim
from flux2build.sharing.records import DamagedError, SharedClaim
from flux2build.storage.store import Store

_UNKNOWN: Final = "unknown"
_NOTHING: Final = Decimal(0)


class Asked(Struct, frozen=True):
    """An order that the spec asks for."""

    asset: str
    order: Order
    price: Decimal


class TeamOrders:
    """The claims of other machines, beside the ledger of this one."""

    def __init__(self, team: Teamwork, asked: Callable[[], Mapping[Digest, Asked]]) -> None:
        self._team, self._read = team, asked
        self.problems: list[Problem] = []
        """The claims that cannot be read."""

    def others(self) -> tuple[Purchase, ...]:
        """What other machines have claimed and this one knows nothing of.

        Raises:
            SystemFault: the store cannot be asked.
        """
        return tuple(each for claim in self._claims() for each in purchases(self._entries(claim)))

    def entries(self, name: str) -> tuple[Entry, ...]:
        """What claims whose attempts begin with a name have for a ledger.

        Raises:
            SystemFault: the store cannot be asked.
        """
        matches = (each for each in self._claims() if each.attempt.startswith(name))
        return tuple(entry for claim in matches for entry in self._entries(claim))

    def take_in(self, name: str) -> bool:
        """Enter the claim whose attempt begins with a name in the ledger, for a person to settle.

        Raises:
            UsageError: several begin so.
            SystemFault: the store cannot be asked or not be written, or the ledger not.
        """
        matches = [claim for claim in self._claims() if claim.attempt.startswith(name)]
        if len(matches) > 1:
            hint = "`flux2build orders list` names them"
            raise UsageError(f"several orders begin with `{name}`", hint=hint)
        for claim in matches:
            self._team.store.require_writable()
            with self._team.journal.claims.held(claim.order):
                for entry in self._entries(claim):
                    self._team.journal.append(entry)
                if asked := self._asked.get(claim.order):
                    self._team.held.note(HeldClaim.of(asked.order, claim.attempt))
        return bool(matches)

    def settled(self, purchase: Purchase) -> None:
        """Let the team know what a person has decided about an order.

        Raises:
            SystemFault: the store cannot be told.
        """
        order, attempt = purchase.attempt.order, purchase.attempt.name
        if self._team.held.get(order):
            self._team.settle(order)
        elif purchase.state is State.VOIDED:
            self._team.store.release(order, attempt)

    def _claims(self) -> Iterator[SharedClaim]:
        """The claims of attempts that this machine's ledger does not know."""
        for claim in self._team.store.claims():
            if isinstance(claim, DamagedError):
                self.problems += claim.problems
            elif not self._knows(claim):
                yield claim

    def _knows(self, claim: SharedClaim) -> bool:
        entries = self._team.journal.about(claim.order)
        return any(each.attempt.name == claim.attempt for each in purchases(entries))

    def _entries(self, claim: SharedClaim) -> Iterator[Entry]:
        asked = self._asked.get(claim.order)
        return entries_of(claim, *((asked.asset, asked.price) if asked else (_UNKNOWN,)))

    @cached_property
    def _asked(self) -> Mapping[Digest, Asked]:
        return self._read()


def team_orders(
    settings: UserSettings, store: Store, journal: Journal, project: Project | None
) -> TeamOrders | None:
    """The orders of the user's team; None without a store that it shares.

    Raises:
        UsageError: the settings name no store that there can be.
        SystemFault: an extra is missing.
    """
    shared = team_store(settings, project.folder if project else Path.cwd())
    if shared is None:
        return None
    team = Teamwork(shared, held_claims(shared), journal, store, lambda _: None)
    return TeamOrders(team, lambda: asked_for(project) if project else {})


def asked_for(project: Project) -> dict[Digest, Asked]:
    """The orders that a spec asks for, as far as it can be read and their inputs are known."""
    asked: dict[Digest, Asked] = {}
    with suppress(Flux2BuildError):
        inputs = Inputs(project.files())
        for step in project.whole.steps:
            if order := inputs.order(step.recipe):
                price = (project.quotes.price(step.recipe) or (None, None))[1]
                asked[order.digest] = Asked(step.recipe.asset, order, price or _NOTHING)
            inputs.note(step.recipe, step.verdict.bytes)
    return asked
