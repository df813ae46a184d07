"""An open order that nothing asks for is reported, with what to do about it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flux2build.checks.orders import CHECK
from flux2build.ledger import Entry, fold
from flux2build.planning.open_orders import open_orders
from tests.checks.in_memory import facts, findings_of, lock
from tests.snapshots import d, intended, kept, ticketed, voided

GONE = d("an order that nothing asks for")
STATES = {
    "pending": ([ticketed(GONE)], "uncollected", "`flux2build build` collects it"),
    "in doubt": ([], "undecided", "`orders adopt`, `resubmit` or `write-off`"),
    "kept": ([ticketed(GONE), kept(GONE)], "undecided", "`orders adopt` or `write-off`"),
    "lost": ([ticketed(GONE), voided(GONE, "lost")], "undecided", "`orders adopt` or `resubmit`"),
}


@pytest.mark.parametrize("state", STATES)
def test_an_open_order_is_reported_in_its_own_project(state: str) -> None:
    """Its commands are named, whatever its state; another project reports its own orders."""
    entries, code, hint = STATES[state]
    known = facts(held=lock())
    ledger = fold([intended(GONE), *entries])

    def findings(project: str) -> list[tuple[str, str | None, str]]:
        plan = replace(known.plan, orders=tuple(open_orders(ledger, {}, project)))
        return [
            (each.code, each.asset, each.problem.hint or "")
            for each in findings_of(CHECK, replace(known, plan=plan))
        ]

    ((found, asset, told),) = findings("")
    assert (found, asset) == (code, "fox")
    assert hint in told
    assert findings("/another") == []


@pytest.mark.parametrize("entries", [[ticketed(GONE), voided(GONE, "failed")], []])
def test_what_is_settled_is_not(entries: list[Entry]) -> None:
    """An order that came to its end or was never placed is not a finding."""
    ledger = fold([intended(GONE), *entries] if entries else [])

    assert list(open_orders(ledger, {}, "")) == []
