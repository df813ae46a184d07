"""A budget never lets out more than its caps, whatever happens to the orders."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flux2build.errors import BudgetError, Exit, Problem
from flux2build.purchasing.budget import BudgetGuard

MONEY = st.decimals("0", "2", places=3)


class Run(RuleBasedStateMachine):
    """Orders are reserved, charged, settled and released in any order."""

    @initialize(per_run=st.none() | MONEY, per_asset=st.none() | MONEY)
    def open(self, per_run: Decimal | None, per_asset: Decimal | None) -> None:
        """A budget with some caps."""
        self.budget = BudgetGuard(per_run, per_asset)
        self.open_orders: dict[str, Decimal] = {}
        self.paid = Decimal(0)
        self.count = 0

    @rule(worst=MONEY)
    def reserve(self, worst: Decimal) -> None:
        """An order is about to be sent; refused just when it could overshoot a cap."""
        self.count += 1
        name = str(self.count)
        spoken_for = self.paid + sum(self.open_orders.values())
        per_run, per_asset = self.budget.per_run, self.budget.per_asset
        fits = (per_asset is None or worst <= per_asset) and (
            per_run is None or worst <= per_run - spoken_for
        )
        if not fits:
            with pytest.raises(BudgetError, match=f"`asset{name}`"):
                self.budget.reserve(name, f"asset{name}", worst)
            return
        self.budget.reserve(name, f"asset{name}", worst)
        self.open_orders[name] = worst

    @precondition(lambda self: self.open_orders)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """An order was charged, at most what was set aside."""
        name = data.draw(st.sampled_from(sorted(self.open_orders)))
        cost = data.draw(st.decimals(0, self.open_orders.pop(name), places=3))
        if data.draw(st.booleans()):
            assert self.budget.charge(name, cost) == 0
        self.budget.settle(name, "fox", cost)
        self.paid += cost

    @precondition(lambda self: self.open_orders)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """An order was certainly not charged."""
        name = data.draw(st.sampled_from(sorted(self.open_orders)))
        self.open_orders.pop(name)
        self.budget.release(name)

    @invariant()
    def never_over(self) -> None:
        """Spent and set aside are what they should be, and within the cap."""
        if not hasattr(self, "budget"):
            return
        assert self.budget.spent == self.paid
        assert self.budget.reserved == sum(self.open_orders.values())
        assert self.budget.excess == 0
        if self.budget.per_run is not None:
            assert self.budget.spent + self.budget.reserved <= self.budget.per_run


TestRun = Run.TestCase


@given(MONEY, st.decimals("0.001", "2", places=3))
def test_beyond_the_list_price(worst: Decimal, more: Decimal) -> None:
    """A dearer order is counted in full, once; under a cap nothing is ordered after it."""
    budget = BudgetGuard(per_run=Decimal(100))
    budget.reserve("1", "fox", worst)

    assert budget.charge("1", worst + more) == more
    assert budget.charge("1", worst + more) == 0
    assert budget.reserved == worst + more
    with pytest.raises(BudgetError, match="more than the list price"):
        budget.reserve("2", "owl", Decimal(0))
    budget.settle("1", "fox", worst + more)
    assert (budget.spent, budget.excess) == (worst + more, more)
    assert budget.reserved == 0


def test_without_a_cap_a_dearer_order_stops_nothing() -> None:
    """Without a cap the next order is sent."""
    budget = BudgetGuard()
    budget.reserve("1", "fox", Decimal("0.03"))
    budget.settle("1", "fox", Decimal("0.06"))
    budget.reserve("2", "owl", Decimal("0.03"))

    assert budget.spent + budget.reserved == Decimal("0.09")
    budget.settle("2", "fox", Decimal("0.04"))
    assert (budget.spent, budget.excess) == (Decimal("0.10"), Decimal("0.04"))


@given(MONEY)
def test_orders_of_an_earlier_run_are_not_counted(cost: Decimal) -> None:
    """An order of an earlier run is neither spent nor in excess here."""
    budget = BudgetGuard(per_run=Decimal(1))

    assert budget.charge("earlier", cost) == 0
    budget.settle("earlier", "fox", cost)
    budget.release("unknown")

    assert budget.spent == budget.reserved == budget.excess == 0


def test_no_more_than_was_planned() -> None:
    """An order beyond the plan's price is refused; one that is given back makes room."""
    budget = BudgetGuard(planned=Decimal("0.06"))
    budget.reserve("1", "fox", Decimal("0.03"))
    budget.settle("1", "fox", Decimal("0.05"))
    budget.reserve("2", "owl", Decimal("0.03"))

    with pytest.raises(BudgetError, match=r"`elk` was not ordered: the plan had no \$0.03 for it"):
        budget.reserve("3", "elk", Decimal("0.03"))
    budget.release("2")
    budget.reserve("4", "elk", Decimal("0.03"))


DEARER = "than the list price was charged before, so the cap could not be kept"
CAPPED = "nothing was ordered for it; raise the cap or select fewer assets"


@pytest.mark.parametrize(
    ("budget", "message", "hint"),
    [
        (
            BudgetGuard(planned=Decimal("0.02")),
            "`fox` was not ordered: the plan had no $0.03 for it",
            "something changed since; `flux2build plan` shows what a build costs now",
        ),
        (
            BudgetGuard(per_asset=Decimal("0.02")),
            "`fox` may cost $0.03, and [budget] per_asset leaves $0.02",
            CAPPED,
        ),
        (
            BudgetGuard(per_run=Decimal("0.02")),
            "`fox` may cost $0.03, and this run's cap leaves $0.02",
            CAPPED,
        ),
        (
            BudgetGuard(per_run=Decimal(1), spent=Decimal(2)),
            "`fox` may cost $0.03, and this run's cap leaves $0.00",
            CAPPED,
        ),
        (
            BudgetGuard(per_run=Decimal(1), excess=Decimal("0.01")),
            f"`fox` was not ordered: $0.01 more {DEARER}",
            "put the new price on the model's card in your own configuration, then build again",
        ),
    ],
)
def test_what_a_refusal_says(budget: BudgetGuard, message: str, hint: str) -> None:
    """The error names the worst case, the cap, what the cap leaves, and what to do."""
    with pytest.raises(BudgetError) as caught:
        budget.reserve("1", "fox", Decimal("0.03"))

    assert caught.value.problems == (Problem(message, hint=hint),)
    assert caught.value.exit == Exit.BUDGET
    assert budget.reserved == 0


def test_a_cap_may_be_reached() -> None:
    """An amount of exactly what is left is not too much."""
    worst = Decimal("0.03")
    budget = BudgetGuard(per_run=worst, per_asset=worst, planned=worst)

    budget.reserve("1", "fox", worst)

    assert budget.reserved == worst
