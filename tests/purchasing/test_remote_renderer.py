"""A renderer buys each order once, writes first and pays after, and collects what it paid for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.errors import (
    BudgetError,
    DecisionError,
    Exit,
    Flux2BuildError,
    HaltedError,
    IncompleteError,
    SpecError,
    SystemFault,
)
from flux2build.ledger import Entry, State, charges
from flux2build.ledger.journal import Journal
from flux2build.model import Bought
from flux2build.planning.reason import ReasonCode
from flux2build.providers import bfl
from flux2build.providers.contract import Reference, Ticket
from flux2build.purchasing import order_errors
from flux2build.purchasing.budget import BudgetGuard
from flux2build.purchasing.http import Client, ClientDeps, Key
from flux2build.purchasing.webhooks import Webhooks
from flux2build.storage import locks
from tests import journals
from tests.paid_provider import (
    KEY,
    Buyer,
    FakeClock,
    FakeProvider,
    Intercepted,
    nothing,
    order,
    picture,
    recipe,
)
from tests.snapshots import intended, ticketed

SECRET = "s" * 32


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "home"


def states(buyer: Buyer) -> list[State]:
    """How far each attempt came."""
    return [attempt.state for attempt in buyer.ledger.attempts]


def test_bought_delivered_and_kept(home: Path) -> None:
    """An order is written down, sent once, collected, stored and noted with its cost."""
    buyer = Buyer(home, FakeProvider(costs={"fox": Decimal("0.02")}))

    (bought,) = buyer.buy("fox")

    assert isinstance(bought, Bought)
    assert buyer.store.get(bought.digest)
    assert (bought.receipt.cost, bought.receipt.cost_source) == (Decimal("0.02"), "settled")
    assert buyer.provider.posts == ["fox"]
    assert states(buyer) == [State.DELIVERED]
    assert (buyer.budget.spent, buyer.budget.reserved) == (Decimal("0.02"), Decimal(0))
    assert buyer.said == ["submitted fox task=task-1"]


def test_a_task_that_holds_the_key_is_masked(home: Path) -> None:
    """It is asked for by its real name, but shown, written down and locked without the key."""
    buyer = Buyer(home, FakeProvider(named=KEY))

    (bought,) = buyer.buy("fox")

    assert isinstance(bought, Bought)
    assert buyer.said == ["submitted fox task=***-1"]
    assert bought.receipt.task == "***-1"
    assert KEY not in home.joinpath("ledger.jsonl").read_text("utf-8")


def test_a_task_that_an_earlier_version_wrote_down_with_the_key(home: Path) -> None:
    """It is collected by its real name, and masked from then on."""
    buyer = Buyer(home, FakeProvider({"fox": "forgotten"}, named=KEY))
    buyer.buy("fox")
    (ticket,) = (each.ticketed for each in buyer.ledger.attempts)
    assert ticket is not None
    poll = ticket.poll.replace("%2A%2A%2A", KEY)
    buyer.journal.append(replace(ticket, task=f"{KEY}-1", poll=poll, at=f"{ticket.at}~"))
    buyer.provider.fates = {}

    (bought,) = Buyer(home, buyer.provider).buy("fox")

    assert isinstance(bought, Bought)
    assert bought.receipt.task == "***-1"


def test_written_before_it_is_sent(home: Path) -> None:
    """When an order reaches the provider, the journal holds it already."""
    provider = FakeProvider(journal=home / "ledger.jsonl")

    Buyer(home, provider).buy("fox")

    assert provider.written == [1]


def test_a_callback_is_no_part_of_an_order(home: Path) -> None:
    """The provider is told where to call back; order and payload are the same as without it."""
    quiet, hooks = (
        Buyer(home.with_name("quiet"), FakeProvider()),
        Webhooks("https://h.example", SECRET),
    )
    quiet.buy("fox")
    buyer = Buyer(home, FakeProvider(), webhooks=hooks)
    buyer.buy("fox")

    (without,), (with_it,) = ([a.intended for a in each.ledger.attempts] for each in (quiet, buyer))
    assert without is not None
    assert with_it is not None
    assert (with_it.order, with_it.payload) == (without.order, without.payload)
    (body,), (plain,) = buyer.provider.bodies, quiet.provider.bodies
    callback = hooks.callback(order(recipe("fox")), with_it)
    assert body == {**plain, "webhook_url": callback.url, "webhook_secret": callback.secret}
    assert Buyer(home, buyer.provider).buy("fox") == buyer.buy("fox")
    assert buyer.provider.posts == ["fox"]


def test_bought_once_is_bought(home: Path) -> None:
    """A second run gets the same picture from the ledger and the store; nothing is sent."""
    first = Buyer(home, FakeProvider()).buy("fox")
    provider = FakeProvider()

    assert Buyer(home, provider).buy("fox") == first
    assert (provider.posts, provider.asked) == ([], [])


def test_forced_is_bought_again(home: Path) -> None:
    """What is asked for once more is another purchase, unless one is on its way."""
    (first,) = Buyer(home, FakeProvider()).buy("fox")
    buyer = Buyer(home, FakeProvider(), forced=frozenset({"fox"}))

    (second,) = buyer.buy("fox")

    assert second.digest != first.digest
    assert buyer.provider.posts == ["fox"]
    assert states(buyer) == [State.DELIVERED, State.DELIVERED]
    assert buyer.ledger.delivered[order(recipe("fox")).digest].output == second.digest


def test_the_newer_purchase_is_collected(home: Path) -> None:
    """A forced order on its way is collected though an older picture of it was delivered."""
    (old,) = Buyer(home, FakeProvider()).buy("fox")
    buyer = Buyer(home, FakeProvider({"fox": "forgotten"}), forced=frozenset({"fox"}))
    buyer.buy("fox")
    buyer.provider.fates = {}

    (new,) = Buyer(home, buyer.provider).buy("fox")

    assert new.digest != old.digest
    assert buyer.provider.posts == ["fox"]


@pytest.mark.parametrize("fate", ["lost", "dropped", 500, 503, 409])
def test_doubt_is_never_sent_again(home: Path, fate: str | int) -> None:
    """An answer that proves nothing leaves a doubt, which forcing does not overrule either."""
    buyer = Buyer(home, FakeProvider({"fox": fate}))

    (error,) = buyer.buy("fox")

    assert isinstance(error, DecisionError)
    assert buyer.budget.reserved == Decimal("0.03")
    for again in (
        Buyer(home, FakeProvider()),
        Buyer(home, FakeProvider(), forced=frozenset({"fox"})),
    ):
        (error,) = again.buy("fox")
        assert isinstance(error, DecisionError)
        assert again.provider.posts == []
    assert states(buyer) == [State.DOUBT]


@pytest.mark.parametrize(
    ("fate", "kind"),
    [(400, IncompleteError), (422, IncompleteError), (402, BudgetError), (403, SystemFault)],
)
def test_refused_is_void(home: Path, fate: int, kind: type[Flux2BuildError]) -> None:
    """A refusal is noted, gives the reservation back, and the next run may send it again."""
    buyer = Buyer(home, FakeProvider({"fox": fate}))

    (error,) = buyer.buy("fox")

    assert isinstance(error, kind)
    assert states(buyer) == [State.VOIDED]
    assert buyer.budget.spent == buyer.budget.reserved == 0
    (bought,) = Buyer(home, FakeProvider()).buy("fox")
    assert isinstance(bought, Bought)


@pytest.mark.parametrize("fate", [402, 403])
def test_no_credit_and_no_key_stop_the_others(home: Path, fate: int) -> None:
    """Where no other order can succeed, none is sent; each says which one it was."""
    buyer = Buyer(home, FakeProvider({"fox": fate}), posts=1)

    first, second = buyer.buy("fox", "owl")

    assert buyer.provider.posts == ["fox"]
    assert second.exit == first.exit
    assert "`owl` was not ordered" in str(second)
    assert "owl" not in {
        attempt.intended.asset for attempt in buyer.ledger.attempts if attempt.intended
    }


@pytest.mark.parametrize("fate", [400, "moderated"])
def test_what_is_wrong_with_one_order_stops_no_other(home: Path, fate: str | int) -> None:
    """A prompt that is refused says nothing of the next one."""
    buyer = Buyer(home, FakeProvider({"fox": fate}), posts=1, in_flight=1)

    refused, bought = buyer.buy("fox", "owl")

    assert isinstance(refused, Flux2BuildError)
    assert isinstance(bought, Bought)


def test_doubts_in_a_row_stop_the_others(home: Path) -> None:
    """When five orders in a row are in doubt, no more money is put at risk."""
    names = [f"fox{number}" for number in range(8)]
    buyer = Buyer(home, FakeProvider(dict.fromkeys(names, "lost")), posts=1)

    errors = buyer.buy(*names)

    assert len(buyer.provider.posts) == 5
    assert {error.exit for error in errors} == {Exit.DECIDE}
    assert sum("was not ordered" in str(error) for error in errors) == 3


def test_busy_is_sent_again_under_the_same_intention(home: Path) -> None:
    """Too many at once proves that nothing was accepted: it is one attempt, and one charge."""
    buyer = Buyer(home, FakeProvider({"fox": "busy"}))

    (bought,) = buyer.buy("fox")

    assert isinstance(bought, Bought)
    assert buyer.provider.posts == ["fox", "fox"]
    assert len(buyer.ledger.attempts) == 1
    assert buyer.provider.total == Decimal("0.03")


def test_moderated_is_not_sent_again_unchanged(home: Path) -> None:
    """The same order would be blocked again; only a person sends it once more."""
    buyer = Buyer(home, FakeProvider({"fox": "moderated"}))
    (error,) = buyer.buy("fox")
    assert isinstance(error, IncompleteError)

    again, forced = (
        Buyer(home, FakeProvider()),
        Buyer(home, FakeProvider(), forced=frozenset({"fox"})),
    )

    (error,) = again.buy("fox")
    assert isinstance(error, IncompleteError)
    assert again.provider.posts == []
    (bought,) = forced.buy("fox")
    assert isinstance(bought, Bought)


def test_something_else_is_kept_aside(home: Path) -> None:
    """A picture of another size was paid for: it stays in the store, and a person decides."""
    buyer = Buyer(home, FakeProvider({"fox": "small"}))

    (error,) = buyer.buy("fox")

    assert isinstance(error, DecisionError)
    assert "kept aside" in str(error)
    assert states(buyer) == [State.KEPT]
    (kept,) = buyer.ledger.kept.values()
    assert buyer.store.get(kept.output)
    assert buyer.budget.spent == Decimal("0.03")
    again = Buyer(home, FakeProvider())
    assert isinstance(again.buy("fox")[0], DecisionError)
    assert again.provider.posts == []


def test_a_forgotten_task_is_not_bought_again(home: Path) -> None:
    """The server denies an order it accepted: the ticket stays, and the next run asks with it."""
    buyer = Buyer(home, FakeProvider({"fox": "forgotten"}))

    (error,) = buyer.buy("fox")

    assert isinstance(error, DecisionError)
    assert states(buyer) == [State.PENDING]
    buyer.provider.fates = {}
    (bought,) = Buyer(home, buyer.provider).buy("fox")
    assert isinstance(bought, Bought)
    assert buyer.provider.posts == ["fox"]


def test_without_a_price_or_a_key_nothing_is_sent(home: Path) -> None:
    """A missing price or key is noticed before anything is sent."""
    unpriced, keyless = (
        Buyer(home, FakeProvider(), prices={"fox": None}),
        Buyer(home, FakeProvider(), account=""),
    )

    assert isinstance(unpriced.buy("fox")[0], BudgetError)
    assert isinstance(keyless.buy("fox")[0], SystemFault)
    assert unpriced.provider.posts == keyless.provider.posts == []
    assert unpriced.ledger.attempts == ()


def test_no_order_after_a_person_asked_to_stop(home: Path) -> None:
    """Once the build is halted, nothing more is sent; what was ordered before is collected."""
    buyer = Buyer(home, FakeProvider({"fox": "forgotten"}))
    buyer.buy("fox")
    buyer.provider.fates = {}
    later = Buyer(home, buyer.provider)
    later.halt.set()

    collected, refused = later.buy("fox", "owl")

    assert isinstance(collected, Bought)
    assert isinstance(refused, HaltedError)
    assert buyer.provider.posts == ["fox"]


@pytest.mark.parametrize(
    ("fate", "state", "again"),
    [
        ("", State.PENDING, ["fox"]),
        (400, State.VOIDED, ["fox", "fox"]),
        ("lost", State.DOUBT, ["fox"]),
    ],
)
def test_ctrl_c_in_the_window_waits_for_the_answer(
    home: Path, fate: str | int, state: State, again: list[str]
) -> None:
    """The answer to a cancelled order is still written down; then the cancellation takes effect."""
    buyer = Buyer(home, FakeProvider({"fox": fate}))

    async def interrupted() -> None:
        async with buyer.client() as client:
            renderer, wanted = buyer.renderer(client), recipe("fox")
            buying = asyncio.ensure_future(renderer.buy(order(wanted), wanted, nothing))
            while not buyer.provider.posts:  # noqa: ASYNC110 - the provider knows no events
                await asyncio.sleep(0)
            buying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await buying
            assert client.halt.is_set()

    asyncio.run(interrupted())

    assert states(buyer) == [state]
    buyer.provider.fates = {}
    (later,) = Buyer(home, buyer.provider).buy("fox")
    assert isinstance(later, DecisionError if state is State.DOUBT else Bought)
    assert buyer.provider.posts == again


class Silent(FakeProvider):
    """A provider that takes orders and never answers them."""

    def __call__(self, request: httpx.Request) -> Any:
        """Whatever is asked for but an order."""
        return self._never(request) if request.method == "POST" else super().__call__(request)

    async def _never(self, request: httpx.Request) -> None:
        await request.extensions["trace"]("http11.send_request_headers.started", {})
        super().__call__(request)
        await asyncio.Event().wait()


def test_ctrl_c_waits_a_moment_for_the_answer(home: Path) -> None:
    """An order that is not answered soon stays in doubt, and the build ends."""
    buyer = Buyer(home, Silent())

    async def interrupted() -> None:
        async with buyer.client() as client:
            wanted = recipe("fox")
            buying = asyncio.ensure_future(
                buyer.renderer(client).buy(order(wanted), wanted, nothing)
            )
            while not buyer.provider.posts:  # noqa: ASYNC110 - the provider knows no events
                await asyncio.sleep(0)
            buying.cancel()
            done, _ = await asyncio.wait([buying], timeout=5)
            assert [each.cancelled() for each in done] == [True]

    asyncio.run(interrupted())

    assert states(buyer) == [State.DOUBT]


@dataclass
class Stopped(FakeProvider):
    """A provider with whose answer Ctrl-C arrives."""

    halt: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The answer; a person has asked to stop by then."""
        if request.method == "POST":
            self.halt.set()
        return super().__call__(request)


@pytest.mark.parametrize(("fate", "kind"), [(400, IncompleteError), ("busy", HaltedError)])
def test_a_refusal_during_ctrl_c_is_told(
    home: Path, fate: str | int, kind: type[Flux2BuildError]
) -> None:
    """It says what is wrong with the order; only what would have been sent again was just stopped."""
    provider = Stopped({"fox": fate})
    buyer = Buyer(home, provider, halt=provider.halt)

    (error,) = buyer.buy("fox")

    assert type(error) is kind
    assert states(buyer) == [State.VOIDED]


def test_what_the_ticket_charges_counts_at_once(home: Path) -> None:
    """Whatever becomes of the picture, budget and ledger count it, and the user is warned."""
    provider = FakeProvider({"fox": "forgotten"}, costs={"fox": Decimal("0.045")})
    budget = BudgetGuard(per_run=Decimal(1))
    buyer = Buyer(home, provider, budget)

    buyer.buy("fox")
    (owl,) = buyer.buy("owl")

    assert (budget.reserved, budget.excess) == (Decimal("0.045"), Decimal("0.015"))
    assert budget.spent == 0
    assert buyer.said == [
        "submitted fox task=task-1",
        "warning: `fox` costs $0.045, $0.015 more than the list price",
    ]
    assert [charge.usd for charge in charges(buyer.ledger)] == [Decimal("0.045")]
    assert isinstance(owl, BudgetError)
    assert provider.posts == ["fox"]


def test_references_that_do_not_fit_are_not_paid_for(home: Path) -> None:
    """Nothing is written down, set aside or sent for an order that the model would refuse."""
    buyer, wanted = Buyer(home, FakeProvider()), recipe("fox")

    async def buy(count: int) -> object:
        async def load() -> list[Reference]:
            return [Reference(f"ref {n}", picture((64, 64)), "image/png") for n in range(count)]

        async with buyer.client() as client:
            return await buyer.renderer(client).buy(order(wanted), wanted, load)

    with pytest.raises(SpecError) as caught:
        asyncio.run(buy(9))

    assert [problem.message for problem in caught.value.problems] == [
        "`flux-2-pro` takes 8 references, and there are 9",
        "`flux-2-pro` takes 9 megapixels of output and references together",
    ]
    assert (buyer.provider.posts, buyer.ledger.attempts) == ([], ())
    assert buyer.budget.reserved == 0
    assert isinstance(asyncio.run(buy(8)), Bought)
    (body,) = buyer.provider.bodies
    assert sum(name.startswith("input_image") for name in body) == 8


def test_another_process_buys_it(home: Path) -> None:
    """While another process holds the claim on an order it is waited for, not bought."""
    wanted = recipe("fox")
    digest = order(wanted).digest
    claim = home / "claims" / f"{digest.removeprefix('sha256:')}.lock"
    claim.parent.mkdir(parents=True)
    other = locks.opened(claim)
    assert locks.try_lock(other)
    buyer = Buyer(home, FakeProvider())

    async def both() -> object:
        async with buyer.client() as client:
            buying = asyncio.ensure_future(
                buyer.renderer(client).buy(order(wanted), wanted, nothing)
            )
            done, _ = await asyncio.wait([buying], timeout=0.5)  # it looks more than once
            assert not done
            assert buyer.provider.posts == []
            os.close(other)
            return await buying

    assert isinstance(asyncio.run(both()), Bought)
    assert buyer.said == [
        "waiting for another build that buys fox",
        "submitted fox task=task-1",
    ]


def test_only_buying_takes_a_claim(home: Path) -> None:
    """Where it cannot be locked, what is under way is collected, and nothing is bought."""
    provider = FakeProvider({"fox": "forgotten"})
    assert isinstance(Buyer(home, provider).buy("fox")[0], DecisionError)
    provider.fates = {}
    buyer = Buyer(home, provider)
    for name in ("fox", "owl"):
        claim = buyer.journal.claims.path(order(recipe(name)).digest)
        claim.unlink(missing_ok=True)
        claim.mkdir()

    collected, refused = buyer.buy("fox", "owl")

    assert isinstance(collected, Bought)
    assert isinstance(refused, SystemFault)
    assert (provider.posts, states(buyer)) == (["fox"], [State.DELIVERED])


def test_waiting_for_another_process_can_be_interrupted(home: Path) -> None:
    """A build that waits for another one's purchase stops at the first Ctrl-C."""
    wanted = recipe("fox")
    buyer = Buyer(home, FakeProvider())
    other = Journal(home / "ledger.jsonl").claims.take(order(wanted).digest)
    assert other is not None
    buyer.halt.set()

    (error,) = buyer.buy("fox")

    os.close(other)
    assert isinstance(error, HaltedError)


def test_another_provider_knows_nothing_of_an_order(home: Path) -> None:
    """What is under way at one provider is neither asked for nor bought at another."""
    buyer = Buyer(home, FakeProvider())
    wanted = order(recipe("fox")).digest
    journal = Journal(home / "ledger.jsonl")
    journal.append(intended(wanted))
    journal.append(ticketed(wanted))

    (error,) = buyer.buy("fox")

    assert isinstance(error, DecisionError)
    assert "was ordered at `fake` already" in str(error)
    assert (buyer.provider.posts, buyer.provider.asked) == ([], [])
    assert states(buyer) == [State.PENDING]


def test_a_key_that_is_refused_while_asking(home: Path) -> None:
    """Nothing more is ordered with that key, and the order stays."""
    buyer = Buyer(home, FakeProvider({"fox": "keyless"}), posts=1)

    first, second = buyer.buy("fox", "owl")

    assert isinstance(first, SystemFault)
    assert "set BFL_API_KEY" in (first.problems[0].hint or "")
    assert states(buyer)[0] is State.PENDING
    assert isinstance(second, Bought | SystemFault)


WANTED = recipe("fox")
DIGEST = order(WANTED).digest
SENT, TICKET = journals.intended("a" * 32), Ticket("task-1", "https://x.example/1")
SENT = replace(SENT, order=DIGEST, asset="fox")
DELIVERY = journals.delivered(SENT)
MODERATION = replace(journals.voided(SENT, charged=False), refusal="content-moderated")


def undecided(code: ReasonCode) -> Flux2BuildError:
    """The error that leaves an order to a person."""
    return order_errors.undecided(WANTED, code)


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ([SENT], lambda: order_errors.in_doubt(SENT)),
        ([SENT, journals.kept(SENT, DIGEST)], lambda: undecided(ReasonCode.KEPT_ASIDE)),
        (
            [SENT, replace(MODERATION, refusal="lost", charged=True)],
            lambda: undecided(ReasonCode.LOST),
        ),
        (
            [replace(SENT, provider="fal"), replace(journals.ticketed(SENT), task="t-9")],
            lambda: order_errors.ordered_elsewhere(WANTED, replace(SENT, provider="fal"), "t-9"),
        ),
    ],
)
@pytest.mark.parametrize("forced", [False, True])
def test_what_is_open_is_left_to_a_person(
    home: Path, entries: list[Entry], error: Callable[[], Flux2BuildError], *, forced: bool
) -> None:
    """Nothing is sent, not even if it is asked for once more."""
    buyer = Buyer(home, FakeProvider(), forced=frozenset({"fox"} if forced else ()))
    for entry in entries:
        buyer.journal.append(entry)

    (outcome,) = buyer.buy("fox")

    assert (type(outcome), outcome.problems) == (type(error()), error().problems)
    assert (buyer.provider.posts, buyer.provider.asked) == ([], [])


@pytest.mark.parametrize(
    ("entries", "claim", "error"),
    [
        (
            [SENT, DELIVERY],
            "",
            lambda: order_errors.paid_for(WANTED, DELIVERY.output, DELIVERY.receipt, SENT.attempt),
        ),
        ([SENT, MODERATION], "", lambda: undecided(ReasonCode.MODERATED)),
        (
            [SENT, replace(MODERATION, refusal="request-moderated")],
            "",
            lambda: undecided(ReasonCode.MODERATED),
        ),
        ([], "b" * 32, lambda: undecided(ReasonCode.UNRECORDED)),
        ([SENT, replace(MODERATION, refusal="failed")], "", None),
        ([replace(DELIVERY, attempt="")], "", None),
    ],
)
def test_what_was_ordered_before_is_sent_if_it_is_forced(
    home: Path, entries: list[Entry], claim: str, error: Callable[[], Flux2BuildError] | None
) -> None:
    """An order that may be paid for, or refused again, is not sent unasked; one that failed is."""
    buyer = Buyer(home, FakeProvider())
    for entry in entries:
        buyer.journal.append(entry)
    if claim:
        path = buyer.journal.claims.path(DIGEST)
        path.parent.mkdir(parents=True)
        path.write_text(claim)

    (outcome,) = buyer.buy("fox")

    if error is not None:
        assert (type(outcome), outcome.problems) == (type(error()), error().problems)
        assert (buyer.provider.posts, buyer.provider.asked) == ([], [])
        buyer.forced = frozenset({"fox"})
        (outcome,) = buyer.buy("fox")
    assert isinstance(outcome, Bought)
    assert buyer.provider.posts == ["fox"]


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("lost", None),
        (
            "forgotten",
            order_errors.lost("fox", TICKET, "the server does not know the task"),
        ),
        (
            "keyless",
            order_errors.uncollected("fox", TICKET, "the provider refuses the key", "BFL_API_KEY"),
        ),
    ],
)
def test_what_a_failed_collection_says(
    home: Path, fate: str, error: Flux2BuildError | None
) -> None:
    """It names the task, the fault and the way out; other orders get the reason why they stop."""
    buyer = Buyer(home, FakeProvider({"fox": fate}), posts=1, in_flight=1)

    fox, owl = buyer.buy("fox", "owl")

    if error is None:
        (doubt,) = buyer.ledger.doubts.values()
        error = order_errors.in_doubt(doubt, fox.problems[0].message.partition(": ")[2])
        assert "no answer comes in time" in str(fox)
    assert (type(fox), fox.problems) == (type(error), error.problems)
    if fate == "keyless":
        because = order_errors.keyless("the provider refuses the key", "BFL_API_KEY")
        assert owl.problems == order_errors.not_ordered(recipe("owl"), because).problems
    else:
        assert isinstance(owl, Bought)


def test_without_a_key_the_others_are_told(home: Path) -> None:
    """The variable is named; nothing is set aside."""
    buyer = Buyer(home, FakeProvider(), account="", in_flight=1)

    fox, owl = buyer.buy("fox", "owl")

    because = order_errors.keyless("`BFL_API_KEY` is not set", "BFL_API_KEY")
    assert fox.problems == because.problems
    assert owl.problems == order_errors.not_ordered(recipe("owl"), because).problems
    assert buyer.budget.reserved == 0


def test_a_success_ends_a_row_of_doubts(home: Path) -> None:
    """Only that many doubts in a row stop a build."""
    fates = {f"fox{number}": "" if number == 4 else "lost" for number in range(10)}
    buyer = Buyer(home, FakeProvider(fates), posts=1, in_flight=1)

    buyer.buy(*fates)

    assert buyer.provider.posts == list(fates)


def test_whom_to_trust_is_told(home: Path) -> None:
    """Waiting helps against nothing that intercepts the connection to a picture that is paid for."""
    Buyer(home, FakeProvider({"fox": "forgotten"})).buy("fox")
    buyer = Buyer(home, Intercepted())

    (error,) = buyer.buy("fox")

    assert order_errors.TRUST in str(error.problems[0].hint)
    assert states(buyer) == [State.PENDING]


class Unreachable(FakeProvider):
    """A provider to which no connection can be made."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Never answer."""
        raise httpx.ConnectError("gone", request=request)


def test_without_a_connection_nothing_is_written_down(home: Path) -> None:
    """No order was sent, so none is in doubt, and what was set aside is given back."""
    buyer = Buyer(home, Unreachable(), in_flight=1)

    fox, owl = buyer.buy("fox", "owl")

    assert isinstance(fox, SystemFault)
    assert str(owl) == f"`owl` was not ordered: {fox}"
    assert buyer.ledger.attempts == ()
    assert buyer.budget.reserved == 0


def test_an_error_of_our_own_proves_that_nothing_was_sent(home: Path) -> None:
    """The key does not go out in clear text: the attempt is void, and costs nothing."""
    buyer = Buyer(home, FakeProvider())

    async def buy() -> None:
        deps = ClientDeps(FakeClock(), lambda: 1.0, transport=httpx.MockTransport(buyer.provider))
        async with Client(bfl.PROVIDER, Key(KEY), "http://93.184.216.34", deps=deps) as client:
            await buyer.renderer(client).buy(order(WANTED), WANTED, nothing)

    with pytest.raises(SystemFault) as caught:
        asyncio.run(buy())

    (attempt,) = buyer.ledger.attempts
    assert attempt.voided is not None
    assert attempt.voided.message == str(caught.value)
    assert (attempt.voided.refusal, attempt.voided.charged) == ("unreachable", False)
    assert (buyer.provider.posts, buyer.budget.reserved) == ([], Decimal(0))


FATES = st.sampled_from(
    ["", "", "lost", "dropped", "busy", "moderated", "failed", "small", "forgotten", 400, 402, 500]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(FATES, min_size=1, max_size=6), st.integers(1, 4), st.integers(1, 3))
def test_no_order_is_charged_twice(
    tmp_path_factory: pytest.TempPathFactory, fates: list[str | int], posts: int, runs: int
) -> None:
    """Whatever answers come, over several runs: one charge for an order, and every charge in the ledger."""
    home = tmp_path_factory.mktemp("home")
    named = {f"fox{number}": fate for number, fate in enumerate(fates)}
    provider = FakeProvider(named)
    for _ in range(runs):
        buyer = Buyer(home, provider, posts=posts)
        outcomes = buyer.buy(*named)
        for error in outcomes:
            assert isinstance(error, Bought | Flux2BuildError)

    assert all(len(costs) <= 1 for costs in provider.charged.values())
    known = {a.intended.asset for a in buyer.ledger.attempts if a.intended and not a.voided}
    assert {prompt for prompt, costs in provider.charged.items() if costs} <= known
