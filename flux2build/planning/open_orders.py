"""Open orders that no step of a plan asks for.

Their prompt was edited, their asset renamed, another profile chosen, or another project placed
them. Paid pictures are still collected, before their addresses expire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.ledger import Intended, Ledger, State
from flux2build.model import Generate
from flux2build.planning.reason import Reason, ReasonCode
from flux2build.planning.verdict import Action

_REASONS: Final = {
    State.PENDING: ReasonCode.IN_FLIGHT,
    State.KEPT: ReasonCode.KEPT_ASIDE,
    State.LOST: ReasonCode.LOST,
    State.DOUBT: ReasonCode.IN_DOUBT,
}


class OpenOrder(Struct, frozen=True):
    """An open order that no step of a plan asks for."""

    intended: Intended
    state: State
    ours: bool
    """Whether this project placed it."""

    @property
    def pending(self) -> bool:
        """Whether a build can collect it, at no cost."""
        return self.state is State.PENDING

    @property
    def action(self) -> Action:
        """The action that settles it."""
        return Action.RESUME if self.pending else Action.ASK

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons for showing it."""
        return Reason(_REASONS[self.state]), Reason(ReasonCode.UNWANTED)


def open_orders(
    ledger: Ledger, tasks: Mapping[Digest, Generate], project: str
) -> Iterator[OpenOrder]:
    """The open orders, except those of `tasks`, which are given by their keys.

    Of other projects' orders, only those that can be collected.
    """
    for order, newest in ledger.unsettled.items():
        pending = ledger.pending.get(order)
        intended, state = (
            (pending[0], State.PENDING) if pending else (newest, _state(ledger, order))
        )
        ours, task = intended.project == project, tasks.get(order)
        elsewhere = task is not None and task.provider != intended.provider
        if (pending and elsewhere) or (task is None and (pending or ours)):
            yield OpenOrder(intended, state, ours)


def _state(ledger: Ledger, order: Digest) -> State:
    """The state of an order that is not pending."""
    if order in ledger.kept:
        return State.KEPT
    return State.LOST if order in ledger.lost else State.DOUBT
