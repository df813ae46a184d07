"""No cap is overshot: not by many orders at once, not by doubts, and not by a server that charges."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux2build.errors import Exit, Flux2BuildError
from flux2build.model import Bought
from flux2build.purchasing.budget import BudgetGuard
from tests.laws.conftest import MakeSandbox
from tests.laws.situations import HEAD
from tests.laws.trials import Sandbox, Situation
from tests.paid_provider import Buyer, FakeProvider

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
MONEY: Final = st.decimals("0.01", "0.50", places=2)
FATES: Final = st.sampled_from(
    ["", "", "", "lost", "dropped", "busy", "moderated", "failed", "small", "forgotten", 400, 500]
)
ORDERS: Final = st.lists(st.tuples(MONEY, MONEY, FATES), min_size=1, max_size=8)


@settings(max_examples=600 if DEEP else 60, deadline=None)
@given(
    orders=ORDERS,
    per_run=st.decimals("0", "2", places=2),
    per_asset=st.none() | MONEY,
    posts=st.integers(1, 4),
    tells=st.booleans(),
)
def test_orders_at_once_stay_below_the_caps(  # noqa: PLR0917 - what hypothesis draws
    tmp_path_factory: pytest.TempPathFactory,
    orders: list[tuple[Decimal, Decimal, str | int]],
    per_run: Decimal,
    per_asset: Decimal | None,
    posts: int,
    tells: bool,  # noqa: FBT001 - hypothesis names its arguments
) -> None:
    """What the server charges, also for what is in doubt, is within the worst case set aside."""
    prompts = [f"fox{number}" for number in range(len(orders))]
    worst = {p: max(low, high) for p, (low, high, _) in zip(prompts, orders, strict=True)}
    costs = {p: min(low, high) for p, (low, high, _) in zip(prompts, orders, strict=True)}
    fates = {p: fate for p, (_, _, fate) in zip(prompts, orders, strict=True)}
    provider = FakeProvider(fates, costs, tells)
    budget = BudgetGuard(per_run, per_asset)
    buyer = Buyer(tmp_path_factory.mktemp("home"), provider, budget, worst, posts=posts)

    outcomes = buyer.buy(*prompts)

    assert all(isinstance(each, Bought | Flux2BuildError) for each in outcomes)
    assert provider.total <= budget.spent + budget.reserved <= per_run
    for prompt in provider.posts:
        assert per_asset is None or worst[prompt] <= per_asset
    if not any(fates.values()) and sum(worst.values()) <= per_run and per_asset is None:
        assert all(isinstance(each, Bought) for each in outcomes)


@settings(max_examples=200 if DEEP else 25, deadline=None)
@given(
    prices=st.lists(MONEY, min_size=2, max_size=8),
    factor=st.decimals("1.1", "3", places=1),
    per_run=st.decimals("0.01", "2", places=2),
    posts=st.integers(1, 4),
)
def test_a_dearer_server_is_left_after_what_was_on_its_way(
    tmp_path_factory: pytest.TempPathFactory,
    prices: list[Decimal],
    factor: Decimal,
    per_run: Decimal,
    posts: int,
) -> None:
    """Where list prices are wrong, a cap is missed by the excess of the orders in the window at most."""
    prompts = [f"fox{number}" for number in range(len(prices))]
    worst = dict(zip(prompts, prices, strict=True))
    costs = {prompt: price * factor for prompt, price in worst.items()}
    provider, budget = FakeProvider(costs=costs), BudgetGuard(per_run)
    buyer = Buyer(tmp_path_factory.mktemp("home"), provider, budget, worst, posts=posts)

    buyer.buy(*prompts)

    known = sorted((costs[p] - worst[p] for p in provider.posts), reverse=True)
    assert provider.total == budget.spent + budget.reserved
    assert provider.total <= per_run + sum(known, Decimal(0))
    assert sum(worst[p] for p in provider.posts) <= per_run


_DENS: Final = "".join(
    f'[asset.den{n}]\nprompt = "den {n}"\nrefs = [{{ asset = "fox" }}]\n' for n in range(6)
)
_SPEC: Final = f"""{HEAD}
[budget]
per_run = 9
[asset.fox]
prompt = "a fox"
{_DENS}"""


def spent(sandbox: Sandbox, cap: Decimal, *, by_option: bool, words: tuple[str, ...]) -> Decimal:
    """Build after an edit under a cap, until nothing more comes; what that cost."""
    before = sandbox.server.total()
    text = sandbox.tree.joinpath("assets.toml").read_text("utf-8")
    text = text.replace("per_run = 9", f"per_run = {9 if by_option else cap}")
    sandbox.tree.joinpath("assets.toml").write_text(text.replace("a fox", "a red fox"), "utf-8")
    option = (f"--max-cost={cap}",) if by_option else ()
    outcome = sandbox.run((*words, *option))
    assert outcome.code in {Exit.DONE, Exit.BUDGET, Exit.INCOMPLETE}, outcome.err
    return sandbox.server.total() - before


@pytest.fixture
def uncertain() -> Situation:
    """An edit whose price is uncertain: six pictures are made of one that changes."""
    return Situation("uncertain", _SPEC, before=(("build", "--yes"),), orders=7)


@pytest.mark.parametrize("by_option", [True, False])
def test_a_build_stays_below_its_cap(
    make_sandbox: MakeSandbox, uncertain: Situation, *, by_option: bool
) -> None:
    """`--max-cost` and `[budget] per_run`, over real sockets: the bill is at most the cap."""
    sandbox = make_sandbox(uncertain)
    caps = [Decimal(n) / 100 for n in (range(0, 50, 1) if DEEP else (0, 3, 8, 14, 50))]
    bills = []
    for cap in caps:
        sandbox.restore()
        bills.append(spent(sandbox, cap, by_option=by_option, words=("build", "--yes")))
        assert bills[-1] <= cap
    assert bills == sorted(bills)
    assert len(set(bills)) > 2


def test_without_a_guard_the_cap_would_be_overshot(
    make_sandbox: MakeSandbox, uncertain: Situation
) -> None:
    """With a mutant: a budget that never refuses lets the bill grow beyond the cap."""
    sandbox = make_sandbox(uncertain)
    sandbox.mutant = "caps ignored"
    sandbox.restore()

    assert spent(sandbox, Decimal("0.08"), by_option=True, words=("build", "--yes")) > Decimal(
        "0.08"
    )


def test_a_cap_of_nothing_buys_nothing(make_sandbox: MakeSandbox) -> None:
    """`--max-cost 0` is a cap like any other."""
    sandbox = make_sandbox(Situation("nothing", _SPEC, orders=7))
    sandbox.restore()

    assert sandbox.run(("build", "--max-cost", "0")).code == Exit.BUDGET
    assert sandbox.server.bill() == {}
