"""Orders that nobody asks for any more are collected, or a person is told what became of them."""

from __future__ import annotations

import asyncio
import json
import os
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from flux2build.errors import Flux2BuildError
from flux2build.ledger import Intended, State
from flux2build.model import Bought
from flux2build.providers.contract import Refusal, Refused, Ticket
from flux2build.purchasing import order_errors
from flux2build.purchasing.bookkeeping import Bookkeeping
from flux2build.purchasing.collecting import Collector
from flux2build.purchasing.unasked import UnaskedOrders
from tests.paid_provider import Buyer, FakeProvider, Intercepted

TICKET = Ticket("task-1", "https://api.bfl.ai/v1/get_result?id=task-1")
NOT_SURE = "; another key or address was asked than it was ordered with"
UNKNOWN, EXPIRED = "the server does not know the task", "the picture's URL answers HTTP 404"
MODERATED = Refused(Refusal.CONTENT_MODERATED, "content moderated")


class Expired(FakeProvider):
    """A provider whose pictures are no longer at their addresses."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Whatever is asked for but no picture."""
        api = request.url.path.startswith("/v1") or request.method == "HEAD"
        return super().__call__(request) if api else httpx.Response(404)


class Generous(FakeProvider):
    """A provider that delivers two pictures for one order."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Every answer, with a second picture beside the first."""
        answer = super().__call__(request)
        if request.url.path != "/v1/get_result":
            return answer
        assert isinstance(answer.stream, httpx.ByteStream)
        body = json.loads(b"".join(answer.stream))
        if result := body.get("result"):
            result["sample"] = [result["sample"], f"{result['sample']}?second"]
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(body).encode()))


def ordered(home: Path, provider: FakeProvider) -> tuple[Buyer, Intended]:
    """A user with an order under way that no spec wants."""
    fates, provider.fates = provider.fates, {"fox": "forgotten"}
    Buyer(home, provider).buy("fox")
    provider.fates = fates
    buyer = Buyer(home, provider)
    (attempt,) = buyer.ledger.attempts
    assert attempt.intended is not None
    return buyer, attempt.intended


def collect(buyer: Buyer, order: Intended, account: str = "abc") -> Bought | Flux2BuildError | None:
    """What becomes of it."""

    async def collecting() -> Bought | None:
        async with buyer.client() as client:
            books = Bookkeeping(buyer.keeping(), buyer.budget, "/project", buyer.said.append)
            return await UnaskedOrders(Collector(client, books), account).collect(order)

    try:
        return asyncio.run(collecting())
    except Flux2BuildError as error:
        return error


def test_it_is_collected_at_no_cost(tmp_path: Path) -> None:
    """Store and ledger have it, for the asset that it was ordered for, and once only."""
    buyer, order = ordered(tmp_path / "home", FakeProvider())

    bought = collect(buyer, order)

    assert isinstance(bought, Bought)
    (attempt,) = buyer.ledger.attempts
    assert attempt.delivered is not None
    assert attempt.delivered.output == bought.digest
    assert (attempt.delivered.asset, attempt.delivered.receipt) == ("fox", bought.receipt)
    assert (bought.receipt.task, bought.receipt.cost) == ("task-1", Decimal("0.03"))
    assert buyer.provider.posts == ["fox"]
    assert buyer.budget.spent == buyer.budget.excess == 0
    asked = list(buyer.provider.asked)
    assert collect(buyer, order) is None
    assert buyer.provider.asked == asked


def test_the_order_of_a_running_build_is_left_alone(tmp_path: Path) -> None:
    """Whoever holds the claim collects it; a claim that was held here is given back."""
    buyer, order = ordered(tmp_path / "home", FakeProvider())
    claim = buyer.journal.claims.take(order.order)
    assert claim is not None
    before = list(buyer.provider.asked)

    assert collect(buyer, order) is None
    assert buyer.provider.asked == before
    os.close(claim)
    assert isinstance(collect(buyer, order), Bought)
    claim = buyer.journal.claims.take(order.order)
    assert claim is not None
    os.close(claim)


def test_it_is_collected_without_a_claim(tmp_path: Path) -> None:
    """A claim that cannot be locked keeps nobody from a picture that is paid for."""
    buyer, order = ordered(tmp_path / "home", FakeProvider())
    claim = buyer.journal.claims.path(order.order)
    claim.unlink()
    claim.mkdir()

    assert isinstance(collect(buyer, order), Bought)
    assert [each.state for each in buyer.ledger.attempts] == [State.DELIVERED]


@pytest.mark.parametrize(
    ("provider", "account", "error", "state"),
    [
        (
            FakeProvider({"fox": "forgotten"}),
            "abc",
            order_errors.lost("fox", TICKET, UNKNOWN),
            State.LOST,
        ),
        (
            FakeProvider({"fox": "forgotten"}),
            "other",
            order_errors.overdue("fox", TICKET, UNKNOWN + NOT_SURE, decide=False),
            State.PENDING,
        ),
        (
            FakeProvider({"fox": "keyless"}),
            "abc",
            order_errors.uncollected("fox", TICKET, "the provider refuses the key", "BFL_API_KEY"),
            State.PENDING,
        ),
        (
            FakeProvider({"fox": "moderated"}),
            "abc",
            order_errors.refusal("bfl", "fox", MODERATED, "BFL_API_KEY"),
            State.VOIDED,
        ),
        (Expired(), "abc", order_errors.lost("fox", TICKET, EXPIRED), State.LOST),
    ],
)
def test_what_became_of_it_is_told(
    tmp_path: Path, provider: FakeProvider, account: str, error: Flux2BuildError, state: State
) -> None:
    """What is gone for certain is noted as lost; anything less leaves the ticket good."""
    buyer, order = ordered(tmp_path / "home", provider)

    outcome = collect(buyer, order, account)

    assert isinstance(outcome, Flux2BuildError)
    assert (type(outcome), outcome.problems) == (type(error), error.problems)
    (attempt,) = buyer.ledger.attempts
    assert attempt.state is state
    if state is State.LOST:
        assert attempt.voided is not None
        assert attempt.voided.charged
        assert (
            buyer.ledger.lost[order.order].message == outcome.problems[0].message.partition(": ")[2]
        )


def test_whom_to_trust_is_told(tmp_path: Path) -> None:
    """Waiting helps against nothing that intercepts the connection."""
    buyer, order = ordered(tmp_path / "home", FakeProvider())
    buyer.provider = Intercepted()

    outcome = collect(buyer, order)

    assert isinstance(outcome, Flux2BuildError)
    assert order_errors.TRUST in str(outcome.problems[0].hint)
    assert [attempt.state for attempt in buyer.ledger.attempts] == [State.PENDING]


def test_more_than_one_picture_is_said(tmp_path: Path) -> None:
    """The first one is kept, and nobody has to find out by themselves that there was another."""
    buyer, order = ordered(tmp_path / "home", Generous())

    assert isinstance(collect(buyer, order), Bought)
    assert "warning: 2 pictures came for one order of `fox`; the first one is kept" in buyer.said


def test_a_ticket_that_points_elsewhere_is_for_a_person(tmp_path: Path) -> None:
    """Where neither that host nor the endpoint knows the task, it is not lost: nobody can be sure."""
    buyer, order = ordered(tmp_path / "home", FakeProvider({"fox": "forgotten"}))
    (attempt,) = buyer.ledger.attempts
    assert attempt.ticketed is not None
    elsewhere = "https://other.example/v1/get_result?id=task-1"
    buyer.journal.append(replace(attempt.ticketed, at="2030-01-01", poll=elsewhere))

    outcome = collect(buyer, order)

    assert isinstance(outcome, Flux2BuildError)
    assert "`other.example` is not a host of `bfl`, and neither it nor the endpoint" in str(outcome)
    assert "orders adopt ORDER task-1" in str(outcome.problems[0].hint)
    assert [attempt.state for attempt in buyer.ledger.attempts] == [State.PENDING]


def test_something_else_is_kept_aside(tmp_path: Path) -> None:
    """It is compared with what the ledger says was ordered."""
    buyer, order = ordered(tmp_path / "home", FakeProvider({"fox": "small"}))

    outcome = collect(buyer, order)

    assert isinstance(outcome, Flux2BuildError)
    assert outcome.problems[0].rows[0] == ("width", "48, ordered 64")
    assert [attempt.state for attempt in buyer.ledger.attempts] == [State.KEPT]
