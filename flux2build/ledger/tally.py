"""The costs of many attempts, counted so that one order can be subtracted again exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from msgspec import Struct

from flux2build.digest import Digest
from flux2build.ledger import charge as costs
from flux2build.ledger.charge import Charge, Sum
from flux2build.ledger.fold import Attempt, Ledger

Counts = Counter[str]
"""The number of charges by amount: `settled 0.03`, or `?estimated 0.03` while uncertain."""
Section = dict[str, Counts]
"""The amounts of each group."""

EVERYTHING: Final = ""
"""The group of all charges of a project, including attempts whose beginnings are unknown."""
GROUPS: Final = {
    "asset": costs.asset,
    "model": costs.model,
    "provider": costs.provider,
    "month": costs.month,
}
"""The groups within a project, of attempts whose beginnings are known."""


class Tally(Struct, frozen=True):
    """Attempts, counted."""

    sections: dict[tuple[str, str], Section]
    """The amounts, by project and grouping."""
    begun: int
    """How many attempts there are whose beginnings are known."""
    paid: Counter[Digest]
    """The newest picture of each order that was bought and not `resubmitted` since."""

    def plus(self, other: Tally, sign: int = 1) -> Tally:
        """This tally plus another one, or minus it."""
        sections = {
            key: {name: Counter(counts) for name, counts in section.items()}
            for key, section in self.sections.items()
        }
        for key, section in other.sections.items():
            added(sections.setdefault(key, {}), section, sign)
        paid = Counter(self.paid)
        for picture, number in other.paid.items():
            paid[picture] += sign * number
        return Tally(sections, self.begun + sign * other.begun, paid)


def tally(ledger: Ledger) -> Tally:
    """Count the attempts of a ledger."""
    sections: dict[tuple[str, str], Section] = {}
    for charge in costs.charges(ledger):
        project, amount = costs.project(charge.attempt), _amount(charge)
        for by, name in _groups(charge.attempt):
            sections.setdefault((project, by), {}).setdefault(name, Counter())[amount] += 1
    begun = sum(1 for attempt in ledger.attempts if attempt.intended)
    return Tally(sections, begun, Counter(each.output for each in ledger.paid.values()))


def added(section: Section, other: Mapping[str, Counts], sign: int = 1) -> None:
    """Add the amounts of other groups, or subtract them."""
    for name, counts in other.items():
        into = section.setdefault(name, Counter())
        for amount, number in counts.items():
            into[amount] += sign * number


def sums(section: Section) -> dict[str, Sum]:
    """The sum of each group; groups without an amount are left out."""
    return {name: each for name in sorted(section) if (each := _sum(section[name])).orders}


def _groups(attempt: Attempt) -> Iterator[tuple[str, str]]:
    yield EVERYTHING, ""
    if attempt.intended:
        yield from ((by, group(attempt)) for by, group in GROUPS.items())


def _amount(charge: Charge) -> str:
    return f"{'?' * charge.reserved}{charge.source} {charge.usd}"


def _sum(counts: Counts) -> Sum:
    spent, reserved, sources = Decimal(0), Decimal(0), dict[str, Decimal]()
    for amount, number in sorted(counts.items()):
        source, _, usd = amount.rpartition(" ")
        if not number:
            continue
        charged = number * Decimal(usd)
        if source.startswith("?"):
            reserved += charged
        else:
            spent += charged
            sources[source] = sources.get(source, Decimal(0)) + charged
    return Sum(spent, reserved, sum(counts.values()), sources)
