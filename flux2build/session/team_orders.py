"""The orders of a team: claims of other machines, and a person's decisions about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError, Problem, UsageError
from flux2build.ledger import Entry, State
from flux2build.ledger.journal import Journal
from flux2build.model import Generate, Order, payload
from flux2build.planning.plan import Inputs
from flux2build.planning.verdict import Action
from flux2build.purchasing.settling import Purchase, purchases
from flux2build.purchasing.teamwork import Teamwork, entries_of
from flux2build.session.project import Project
from flux2build.session.settings import UserSettings
from flux2build.session.team import held_claims, team_store
from flux2build.sharing.held_claims import HeldClaim
from flux2build.sharing.records import (
    NewerError,
    RecordError,
    SharedClaim,
    SharedReceipt,
    damaged,
)
from flux2build.storage.store import Store

_UNKNOWN: Final = "unknown"
_NOTHING: Final = Decimal(0)
_UNDECIDED: Final = frozenset({State.DOUBT, State.KEPT, State.LOST})
_ATTEMPT: Final = 32
"""Characters of an attempt's name."""


class Asked(Struct, frozen=True):
    """An order that the spec asks for."""

    asset: str
    provider: str
    order: Order
    price: Decimal
    unbought: bool
    """Whether a build without a team would send it."""


class TeamOrders:
    """The claims of other machines, together with this machine's ledger."""

    def __init__(self, team: Teamwork, asked: Callable[[], Mapping[Digest, Asked]]) -> None:
        self._team, self._read = team, asked
        self.problems: list[Problem] = []
        """The problems of receipts and claims."""
        self.damaged: set[str] = set()
        """The attempts that stand for orders with damaged records in the store."""

    def others(self) -> tuple[Purchase, ...]:
        """The orders that other machines have claimed and this one does not know.

        Raises:
            SystemFault: the store cannot be asked.
        """
        return tuple(each for claim in self._claims() for each in purchases(self._entries(claim)))

    def pictures(self, purchases: Iterable[Purchase]) -> dict[str, Digest]:
        """The pictures in the store of orders that a person has to settle, by name.

        Raises:
            SystemFault: the store cannot be asked.
        """
        orders = {each.attempt.order: each.name for each in purchases if each.state in _UNDECIDED}
        receipts = self._team.store.receipts(orders).items()
        return {orders[at]: each.output for at, each in receipts if isinstance(each, SharedReceipt)}

    def fetch(self, picture: Digest) -> None:
        """Put a picture that the team's store has into the one of this machine.

        Raises:
            SystemFault: the store cannot be asked, or not be written.
        """
        if (data := self._team.store.get(picture)) is not None:
            self._team.pictures.put(data)

    def entries(self, name: str) -> tuple[Entry, ...]:
        """The ledger entries of the claims whose attempts begin with a name.

        Raises:
            SystemFault: the store cannot be asked.
        """
        matches = (each for each in self._claims() if each.attempt.startswith(name))
        return tuple(entry for claim in matches for entry in self._entries(claim))

    def take_in(self, name: str) -> bool:
        """Enter the claim whose attempt begins with a name in the ledger, for a person to settle.

        Raises:
            UsageError: several attempts begin with it.
            SystemFault: the store cannot be read or written, or the ledger cannot be written.
        """
        matches = [claim for claim in self._claims() if claim.attempt.startswith(name)]
        if len(matches) > 1:
            hint = "`flux2build orders list` names them"
            raise UsageError(f"several orders begin with `{name}`", hint=hint)
        for claim in matches:
            self._team.store.require_writable()
            with self._team.journal.claims.held(claim.order):
                if claim.attempt in self.damaged and not self._team.store.replace(claim):
                    raise UsageError(f"another machine of the team buys order `{name}` just now")
                for entry in self._entries(claim):
                    self._team.journal.append(entry)
                if request := self._requests.get(claim.order):
                    self._team.held.note(HeldClaim.of(request.order, claim.attempt))
        return bool(matches)

    def settled(self, purchase: Purchase) -> bool:
        """Share a person's decision about an order; return whether the team knows all of it.

        Raises:
            SystemFault: the store cannot be written.
        """
        order, attempt = purchase.attempt.order, purchase.attempt.name
        if purchase.state is State.VOIDED:
            request = self._requests.get(order)
            self._team.store.forget(order, request.order if request else None)
        if self._team.held.get(order):
            self._team.settle(order)
        elif purchase.state is State.VOIDED:
            self._team.store.release(order, attempt)
        return purchase.state is not State.DELIVERED or self._team.store.receipt(order) is not None

    def _claims(self) -> Iterator[SharedClaim]:
        """The claims of attempts that this machine's ledger does not know, damaged ones included."""
        listed = set[str]()
        for claim in chain(self._team.store.claims(), self._receipts()):
            if isinstance(claim, RecordError):
                self.problems += claim.problems
            if isinstance(claim, NewerError):
                continue
            readable = self._instead(claim.order) if isinstance(claim, RecordError) else claim
            if readable.attempt not in listed and not self._knows(readable):
                listed.add(readable.attempt)
                yield readable

    def _receipts(self) -> Iterator[RecordError]:
        """The faults of the receipts of orders that would be sent."""
        unbought = [order for order, request in self._requests.items() if request.unbought]
        for order, receipt in self._team.store.receipts(unbought).items():
            order_of_spec = self._requests[order].order
            if isinstance(receipt, RecordError):
                yield receipt
            elif receipt is not None and not receipt.answers(order_of_spec):
                yield damaged(SharedReceipt, order)

    def _instead(self, order: Digest) -> SharedClaim:
        """A claim in place of an unreadable one, with what the spec says about its order."""
        attempt, request = order.removeprefix("sha256:")[:_ATTEMPT], self._requests.get(order)
        self.damaged.add(attempt)
        expected = request.order if request else None
        return SharedClaim(
            order=order,
            attempt=attempt,
            account="",
            provider=request.provider if request else _UNKNOWN,
            model=expected.model if expected else _UNKNOWN,
            payload=payload(expected.model, expected.prompt, expected.params)
            if expected
            else order,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _knows(self, claim: SharedClaim) -> bool:
        entries = self._team.journal.about(claim.order)
        return any(each.attempt.name == claim.attempt for each in purchases(entries))

    def _entries(self, claim: SharedClaim) -> Iterator[Entry]:
        request = self._requests.get(claim.order)
        return entries_of(claim, *((request.asset, request.price) if request else (_UNKNOWN,)))

    @cached_property
    def _requests(self) -> Mapping[Digest, Asked]:
        return self._read()


def team_orders(
    settings: UserSettings, store: Store, journal: Journal, project: Project | None
) -> TeamOrders | None:
    """The orders of the user's team; None without a store that it shares.

    Raises:
        UsageError: the settings do not name a valid store.
        SystemFault: an extra is missing.
    """
    shared = team_store(settings, project.folder if project else Path.cwd())
    if shared is None:
        return None
    team = Teamwork(shared, held_claims(shared), journal, store, lambda _: None)
    return TeamOrders(team, lambda: asked_for(project) if project else {})


def asked_for(project: Project) -> dict[Digest, Asked]:
    """The orders of a spec in all profiles that can be read, if their inputs are known.

    To settle an order, a person need not name its profile.
    """
    orders = _orders_in(project)
    with suppress(Flux2BuildError):
        for profile in sorted(project.spec.wanted_profiles - {project.spec.profile}):
            options = replace(project.options, profile=profile)
            orders = _orders_in(replace(project, options=options)) | orders
    return orders


def _orders_in(project: Project) -> dict[Digest, Asked]:
    """The orders that a spec asks for in the profile of a project."""
    orders: dict[Digest, Asked] = {}
    with suppress(Flux2BuildError):
        inputs = Inputs(project.files())
        for step in project.whole.steps:
            task = step.recipe.task
            if isinstance(task, Generate) and (order := inputs.order(step.recipe)):
                price = (project.quotes.price(step.recipe) or (None, None))[1]
                earlier = orders.get(order.digest)  # a candidate's, if it waits for a pick
                unbought = step.verdict.action is Action.RENDER or bool(
                    earlier and earlier.unbought
                )
                orders[order.digest] = Asked(
                    step.recipe.asset, task.provider, order, price or _NOTHING, unbought
                )
            inputs.note(step.recipe, step.verdict.bytes)
    return orders
