"""The account: what is charged, refunded, refused, and what is left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flux2build.simulator.account import READY, Account, AccountRefusalError, Outcome, Task, plain
from flux2build.simulator.orders import ReceivedOrder
from flux2build.simulator.scenario import Scenario

LIMIT = 3
CREDITS = Decimal(40)


def order(price: Decimal) -> ReceivedOrder:
    """An order of a price."""
    return ReceivedOrder(
        model="flux-2-pro",
        prompt="a fox",
        reported_prompt="a fox",
        width=64,
        height=64,
        format="png",
        seed=None,
        references=(),
        credits=price,
        billed_pixels=4096,
        echo={"prompt": "a fox"},
    )


class Bank(RuleBasedStateMachine):
    """Orders come, end well or badly, and time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account(Scenario(limit=LIMIT, credits=CREDITS))
        self.now = 1000.0
        self.accepted: list[Task] = []

    @rule(
        cents=st.integers(1, 90),
        latency=st.sampled_from([0, 1, 5, float("inf")]),
        outcome=st.sampled_from([READY, "Error", "Content Moderated", "Dreaming"]),
    )
    def order(self, cents: int, latency: float, outcome: str) -> None:
        """An order is charged, or refused without a trace."""
        price, before = Decimal(cents) / 10, len(self.account.tasks)
        full = self.account.active("bfl", self.now) >= LIMIT
        poor = self.account.balance(self.now) < price
        try:
            task = self.account.accept("bfl", order(price), Outcome(latency, outcome), self.now)
        except AccountRefusalError:
            assert full or poor
            assert len(self.account.tasks) == before
        else:
            assert not full
            assert not poor
            self.accepted.append(task)

    @rule(seconds=st.integers(0, 6))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += seconds

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), outcome=st.sampled_from([READY, "canceled", "Error"]))
    def end(self, data: Any, outcome: str) -> None:
        """A task that is still under way ends."""
        task = data.draw(st.sampled_from(self.accepted))
        if self.now < task.ready:
            self.account.end(task, outcome, self.now)

    @invariant()
    def balanced(self) -> None:
        """The balance is what was there, less what stands charged; nothing is lost."""
        standing = self.account.charges(self.now)
        refunded = self.account.charges(self.now, refunded=True)
        spent = sum((Decimal(charge["credits"]) for charge in standing), Decimal(0))
        assert self.account.balance(self.now) == CREDITS - spent >= 0
        assert len(standing) + len(refunded) == len(self.accepted)
        assert len({task.id for task in self.accepted}) == len(self.accepted)

    @invariant()
    def within_the_limit(self) -> None:
        """Never are more orders unfinished than allowed."""
        assert self.account.active("bfl", self.now) <= LIMIT
        assert self.account.peak["bfl"] <= LIMIT


Bank.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestBank = Bank.TestCase


@given(st.decimals(min_value=0, max_value=10**6, allow_nan=False, places=4))
def test_amounts_are_written_exactly(amount: Decimal) -> None:
    """An amount's text has no exponent and no idle zeros, and is the same amount."""
    text = plain(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))
