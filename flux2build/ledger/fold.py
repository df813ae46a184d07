"""The sum of a journal's entries.

Entries about one attempt only add to each other: read twice, or in another order, they mean the
same. Any prefix of a journal is a valid journal.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.ledger.entries import (
    LOST,
    RESUBMITTED,
    Delivered,
    Entry,
    Foreign,
    Intended,
    Kept,
    Ticketed,
    Voided,
)

Fact = Intended | Ticketed | Delivered | Kept | Voided
"""An entry about an attempt that this flux2build understands."""


class State(StrEnum):
    """How far an attempt came."""

    DOUBT = "in doubt"
    """It may have been sent; only a person can find out its fate."""
    PENDING = "pending"
    KEPT = "kept aside"
    """The picture differs from its order; only a person can decide what to do with it."""
    LOST = "lost"
    """It was paid for and cannot be collected any more; only a person can give it up."""
    DELIVERED = "delivered"
    VOIDED = "voided"


_UNSETTLED: Final = frozenset({State.PENDING, State.KEPT, State.LOST, State.DOUBT})


class Attempt(Struct, frozen=True):
    """Everything that the journal says about one attempt to buy an order."""

    order: Digest
    name: str
    intended: Intended | None = None
    ticketed: Ticketed | None = None
    delivered: Delivered | None = None
    kept: Kept | None = None
    voided: Voided | None = None

    @property
    def state(self) -> State:
        """How far it came; a delivery outweighs everything except the loss of its picture."""
        if self.delivered and not self.resubmitted:
            return State.DELIVERED
        if self.voided and self.voided.refusal != LOST:
            return State.VOIDED
        if self._collectable:
            return State.PENDING
        if self.kept:
            return State.KEPT
        return State.LOST if self.voided else State.DOUBT

    @property
    def _collectable(self) -> bool:
        """Whether it has a ticket, and neither a picture nor a loss came after it."""
        ends = [each.at for each in (self.kept, self.voided) if each]
        return self.ticketed is not None and all(self.ticketed.at > end for end in ends)

    @property
    def resubmitted(self) -> bool:
        """Whether a person decided that its picture is lost, and may be bought again."""
        return self.voided is not None and self.voided.refusal == RESUBMITTED


class Ledger(Struct, frozen=True):
    """The sum of the journal; the maps are by the order's digest."""

    attempts: Sequence[Attempt] = ()
    """In the order in which they started."""
    delivered: Mapping[Digest, Delivered] = field(default_factory=dict)
    """The newest delivery of each order that has one."""
    outputs: Container[Digest] = frozenset()
    """The pictures of all deliveries."""
    paid: Mapping[Digest, Delivered] = field(default_factory=dict)
    """The newest delivery of each order that was bought and not `resubmitted` since."""
    resubmitted: Container[tuple[Digest, str]] = frozenset()
    """The orders whose picture is lost and may be bought again, each with its task."""
    pending: Mapping[Digest, tuple[Intended, Ticketed]] = field(default_factory=dict)
    """The newest attempt of each order that waits to be collected."""
    kept: Mapping[Digest, Kept] = field(default_factory=dict)
    """The newest picture of each order that is kept aside."""
    lost: Mapping[Digest, Voided] = field(default_factory=dict)
    """The newest attempt of each order that was paid for and cannot be collected any more."""
    doubts: Mapping[Digest, Intended] = field(default_factory=dict)
    """The newest attempt of each order that may have been sent."""
    unsettled: Mapping[Digest, Intended] = field(default_factory=dict)
    """The newest attempt of each order that is pending, kept aside, lost or in doubt."""
    refusals: Mapping[Digest, Voided] = field(default_factory=dict)
    """The refusal of each order whose newest attempt was voided."""
    open: tuple[Attempt, ...] = ()
    """The attempts that are pending, kept aside, lost or in doubt, in the order of `attempts`."""
    foreign: tuple[Foreign, ...] = ()
    """Entries that only a newer flux2build understands."""

    def about(self, names: Sequence[Digest]) -> Ledger:
        """The facts about one order under any of its names, as facts about the first name.

        All `outputs` stay.
        """
        if not any(map(self._knows, names[1:])):
            return self
        own = tuple(replace(each, order=names[0]) for each in self.attempts if each.order in names)
        return replace(_ledger(own, self.foreign), outputs=self.outputs)

    def _knows(self, order: Digest) -> bool:
        return order in self.delivered or order in self.unsettled or order in self.refusals


def fold(entries: Iterable[Entry]) -> Ledger:
    """The sum of entries; the order of the attempts is that of their first entries."""
    attempts: dict[tuple[Digest, str], Attempt] = {}
    foreign: dict[Foreign, None] = {}
    for entry in entries:
        if isinstance(entry, Foreign):
            foreign.setdefault(entry)
            continue
        key = (entry.order, _name(entry))
        attempts[key] = _added(attempts.get(key) or Attempt(*key), entry)
    return _ledger(tuple(attempts.values()), tuple(foreign))


def unbegun(entries: Iterable[Entry], attempt: str) -> bool:
    """Whether the entries about an order lack the start of a claimed or ticketed attempt."""
    attempts, ticketed = set[str](), set[str]()
    for entry in entries:
        if isinstance(entry, Ticketed):
            ticketed.add(entry.attempt)
        elif not isinstance(entry, Foreign):
            attempts.add(entry.attempt)
    if attempt and not any(name.startswith(attempt) for name in attempts):
        return True
    return not ticketed <= attempts


def _name(entry: Fact) -> str:
    """An attempt's name; deliveries that were not bought differ by their bytes."""
    return entry.attempt or (entry.output if isinstance(entry, Delivered) else "")


def _added(attempt: Attempt, entry: Fact) -> Attempt:
    """An attempt with one more entry; of two of the same kind, the first one counts.

    A later ticket replaces an earlier one, because a person corrected it. A later picture, a later
    loss, and a person's decision about a loss replace earlier ones, too.
    """
    match entry:
        case Intended():
            return replace(attempt, intended=attempt.intended or entry)
        case Ticketed():
            before = attempt.ticketed or entry
            return replace(attempt, ticketed=max(before, entry, key=lambda one: one.at))
        case Delivered():
            return replace(attempt, delivered=attempt.delivered or entry)
        case Kept():
            aside = attempt.kept or entry
            return replace(attempt, kept=max(aside, entry, key=lambda one: one.at))
        case Voided():
            voided = attempt.voided or entry
            return replace(attempt, voided=max(voided, entry, key=_finality))


def _finality(voided: Voided) -> tuple[bool, str]:
    """The finality of an end: a loss may be repeated or given up, everything else is final."""
    return (False, voided.at) if voided.refusal == LOST else (True, "")


def _ledger(attempts: tuple[Attempt, ...], foreign: tuple[Foreign, ...]) -> Ledger:
    newest = {attempt.order: attempt for attempt in attempts}.values()
    return Ledger(
        attempts=attempts,
        delivered={a.order: a.delivered for a in attempts if a.delivered},
        outputs=frozenset(a.delivered.output for a in attempts if a.delivered),
        paid={
            a.order: a.delivered
            for a in attempts
            if a.delivered and a.delivered.attempt and not a.resubmitted
        },
        resubmitted=frozenset(
            (a.order, a.delivered.receipt.task) for a in attempts if a.delivered and a.resubmitted
        ),
        pending={
            a.order: (a.intended, a.ticketed)
            for a in attempts
            if a.state is State.PENDING and a.intended and a.ticketed
        },
        kept={a.order: a.kept for a in attempts if a.state is State.KEPT and a.kept},
        lost={a.order: a.voided for a in attempts if a.state is State.LOST and a.voided},
        doubts={a.order: a.intended for a in attempts if a.state is State.DOUBT and a.intended},
        unsettled={a.order: a.intended for a in attempts if a.state in _UNSETTLED and a.intended},
        refusals={a.order: a.voided for a in newest if a.state is State.VOIDED and a.voided},
        open=tuple(a for a in attempts if a.state in _UNSETTLED),
        foreign=foreign,
    )
