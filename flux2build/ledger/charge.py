"""The costs of orders, and the sums that may still be charged for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.ledger.fold import Attempt, Ledger
from flux2build.model import Receipt, model_name


class Charge(Struct, frozen=True):
    """The cost of one attempt in USD, or the most that it may still cost."""

    attempt: Attempt
    usd: Decimal
    source: str
    """`settled`, `submitted`, `estimated`, `free` or `unknown`, as in receipts."""
    reserved: bool = False
    """True while it is unknown whether it will be charged."""


class Sum(Struct, frozen=True):
    """Charges added up."""

    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    orders: int = 0
    sources: Mapping[str, Decimal] = field(default_factory=dict)
    """The sums that were spent, by the source of the figures."""

    def plus(self, charge: Charge) -> Sum:
        """This sum with one more charge."""
        if charge.reserved:
            return replace(self, reserved=self.reserved + charge.usd, orders=self.orders + 1)
        from_source = self.sources.get(charge.source, Decimal(0)) + charge.usd
        return replace(
            self,
            spent=self.spent + charge.usd,
            orders=self.orders + 1,
            sources={**self.sources, charge.source: from_source},
        )


def charges(ledger: Ledger) -> Iterator[Charge]:
    """The charges of all attempts; an attempt that was certainly not charged has none."""
    for attempt in ledger.attempts:
        if attempt.delivered:
            yield _settled(attempt, attempt.delivered.receipt)
        elif attempt.kept:
            # The picture arrived, so it was charged, whatever a person decides about it.
            yield _settled(attempt, attempt.kept.receipt)
        elif attempt.voided is None or attempt.voided.charged:
            usd, source = _estimate(attempt)
            yield Charge(attempt, usd, source, reserved=attempt.voided is None)


def _settled(attempt: Attempt, receipt: Receipt) -> Charge:
    if receipt.cost is not None:
        return Charge(attempt, receipt.cost, receipt.cost_source)
    return Charge(attempt, *_estimate(attempt))


def _estimate(attempt: Attempt) -> tuple[Decimal, str]:
    """The best figure without a receipt: the ticket's, else the sum that was set aside."""
    if attempt.ticketed and attempt.ticketed.cost is not None:
        return attempt.ticketed.cost, "submitted"
    if attempt.intended:
        return attempt.intended.reserve, "estimated"
    return Decimal(0), "unknown"


def spent(ledger: Ledger, by: Callable[[Attempt], str]) -> dict[str, Sum]:
    """The sums of charges by a property of their attempts, such as `month` or `provider`."""
    sums: dict[str, Sum] = {}
    for charge in charges(ledger):
        group = by(charge.attempt)
        sums[group] = sums.get(group, Sum()).plus(charge)
    return dict(sorted(sums.items()))


def month(attempt: Attempt) -> str:
    """The month in which an attempt started: `2026-11`."""
    start = attempt.intended or attempt.ticketed
    first = start or attempt.delivered or attempt.kept or attempt.voided
    return first.at[:7] if first else ""


def provider(attempt: Attempt) -> str:
    """The provider of an attempt."""
    if attempt.intended:
        return attempt.intended.provider
    arrived = attempt.delivered or attempt.kept
    return arrived.receipt.provider if arrived else ""


def model(attempt: Attempt) -> str:
    """The model of an attempt, by its own name, without a carrier's prefix."""
    entry = attempt.intended or attempt.delivered
    return model_name(entry.model) if entry else ""


def asset(attempt: Attempt) -> str:
    """The asset an attempt was made for."""
    entry = attempt.intended or attempt.delivered
    return entry.asset if entry else ""


def project(attempt: Attempt) -> str:
    """The project an attempt was made in."""
    entry = attempt.intended or attempt.delivered
    return entry.project if entry else ""
