"""What orders cost, and what may still be charged for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.ledger.fold import Attempt, Ledger
from flux2build.model import Receipt, model_name


class Charge(Struct, frozen=True):
    """What one attempt cost, or may still cost, in USD."""

    attempt: Attempt
    usd: Decimal
    source: str
    """`settled`, `submitted`, `estimated`, `free` or `unknown`, as in receipts."""
    reserved: bool = False
    """True while it is not known whether it will be charged."""


class Sum(Struct, frozen=True):
    """Charges added up."""

    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    orders: int = 0
    sources: Mapping[str, Decimal] = field(default_factory=dict)
    """What was spent, by the source of the figures."""

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
    """What every attempt cost; an attempt that was certainly not charged has no charge."""
    for attempt in ledger.attempts:
        if attempt.delivered:
            yield _settled(attempt, attempt.delivered.receipt)
        elif attempt.kept:
            # It arrived, so it was charged, whatever a person decides about it.
            yield _settled(attempt, attempt.kept.receipt)
        elif attempt.voided is None or attempt.voided.charged:
            usd, source = _estimate(attempt)
            yield Charge(attempt, usd, source, reserved=attempt.voided is None)


def _settled(attempt: Attempt, receipt: Receipt) -> Charge:
    if receipt.cost is not None:
        return Charge(attempt, receipt.cost, receipt.cost_source)
    return Charge(attempt, *_estimate(attempt))


def _estimate(attempt: Attempt) -> tuple[Decimal, str]:
    """The best figure without a receipt: the one of the ticket, else what was set aside."""
    if attempt.ticketed and attempt.ticketed.cost is not None:
        return attempt.ticketed.cost, "submitted"
    if attempt.intended:
        return attempt.intended.reserve, "estimated"
    return Decimal(0), "unknown"


def spent(ledger: Ledger, by: Callable[[Attempt], str]) -> dict[str, Sum]:
    """Charges added up by a property of their attempts, such as `month` or `provider`."""
    sums: dict[str, Sum] = {}
    for charge in charges(ledger):
        group = by(charge.attempt)
        sums[group] = sums.get(group, Sum()).plus(charge)
    return dict(sorted(sums.items()))


def month(attempt: Attempt) -> str:
    """The month in which an attempt was begun: `2026-11`."""
    begun = attempt.intended or attempt.ticketed
    first = begun or attempt.delivered or attempt.kept or attempt.voided
    return first.at[:7] if first else ""


def provider(attempt: Attempt) -> str:
    """The provider of an attempt."""
    if attempt.intended:
        return attempt.intended.provider
    arrived = attempt.delivered or attempt.kept
    return arrived.receipt.provider if arrived else ""


def model(attempt: Attempt) -> str:
    """The model of an attempt, by the one name that it has at every carrier."""
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
