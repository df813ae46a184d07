"""Consent: what a plan may cost before a person is asked, and when it is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from flux2build.assetspec.spec import Budget
from flux2build.errors import BudgetError
from flux2build.planning.plan import Plan, plan
from flux2build.session.consent import Terms, agreed_to, cap
from flux2build.session.settings import UserSettings
from tests.snapshots import master, snapshot


def priced(high: str | None, low: str = "0.03") -> Plan:
    """A plan with one order at this price."""
    price = None if high is None else (Decimal(low), Decimal(high))
    return plan([master()], snapshot(), lambda _: price)


def usd(**amounts: str) -> dict[str, Any]:
    """Amounts in USD, by name."""
    return {name: Decimal(amount) for name, amount in amounts.items()}


@pytest.mark.parametrize(
    ("terms", "budget", "amount"),
    [
        ({}, {}, None),
        ({"max_cost": "2"}, {}, "2"),
        ({}, {"per_run": "3"}, "3"),
        ({"max_cost": "2"}, {"per_run": "3"}, "2"),
        ({"max_cost": "4"}, {"per_run": "3"}, "3"),
    ],
)
def test_caps(terms: dict[str, str], budget: dict[str, str], amount: str | None) -> None:
    """The lower cap counts: the spec's, or the one on the command line."""
    expected = None if amount is None else Decimal(amount)

    assert cap(Budget(**usd(**budget)), Terms(**usd(**terms))) == expected


@pytest.mark.parametrize(
    ("terms", "own", "spec", "agreed"),
    [
        (Terms(), None, None, False),
        (Terms(yes=True), None, None, True),
        (Terms(max_cost=Decimal(1)), None, None, True),
        (Terms(), 0.03, None, True),
        (Terms(), 0.02, None, False),
        (Terms(), None, "100", False),
        (Terms(), 0.02, "100", False),
        (Terms(), 0.03, "100", True),
        (Terms(), 100, "0.03", True),
        (Terms(), 100, "0.02", False),
        (Terms(yes=True), None, "0.02", True),
    ],
)
def test_agreement(terms: Terms, own: float | None, spec: str | None, *, agreed: bool) -> None:
    """Only a person agrees, by a flag or their own configuration; a spec has them asked more often."""
    settings = UserSettings({}, config={} if own is None else {"budget": {"confirm_above": own}})
    budget = Budget(confirm_above=None if spec is None else Decimal(spec))

    assert agreed_to(priced("0.03"), budget, terms, settings, attended=True) is agreed


def test_free_plans_need_no_agreement() -> None:
    """A plan that costs nothing is carried out without asking."""
    assert agreed_to(priced("0", "0"), Budget(), Terms(), UserSettings({}), attended=False)


@pytest.mark.parametrize(
    ("high", "budget", "terms", "message"),
    [
        (None, {}, Terms(yes=True), "no price is known for `fox`"),
        ("0.03", {"per_run": "0.02"}, Terms(yes=True), "more than the cap of \\$0.02"),
        ("0.03", {"confirm_above": "1"}, Terms(), "nobody is here to confirm it"),
    ],
)
def test_refusals(high: str | None, budget: dict[str, str], terms: Terms, message: str) -> None:
    """An unknown price, a cap or an absent person stops a build before it orders anything."""
    with pytest.raises(BudgetError, match=message):
        agreed_to(priced(high), Budget(**usd(**budget)), terms, UserSettings({}), attended=False)


@pytest.mark.parametrize(
    ("terms", "caps"),
    [
        (Terms(yes=True), "`[budget] per_run`"),
        (Terms(max_cost=Decimal("0.05")), "`[budget] per_run`"),
        (Terms(max_cost=Decimal("0.01")), "`--max-cost` and `[budget] per_run`"),
    ],
)
def test_a_cap_that_is_exceeded_is_named(terms: Terms, caps: str) -> None:
    """Whoever raises what the hint names can build."""
    budget = Budget(per_run=Decimal("0.02"))

    with pytest.raises(BudgetError) as caught:
        agreed_to(priced("0.03"), budget, terms, UserSettings({}), attended=False)

    assert caught.value.problems[0].hint == f"select fewer assets, or raise {caps}"
