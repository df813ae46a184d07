"""What is collected is noted with all that the server tells of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from flux2build.digest import Json
from flux2build.errors import DecisionError
from flux2build.ledger import State, Ticketed
from flux2build.model import Bought, Receipt
from flux2build.providers.contract import Refused
from flux2build.purchasing.bookkeeping import Bookkeeping
from flux2build.purchasing.collecting import Collector
from flux2build.purchasing.http import Overdue
from tests.paid_provider import Buyer, FakeProvider, order, picture, recipe

RESULT = {"sample": "https://cdn.example/1", "seed": 7, "prompt": "a red fox"}


@dataclass
class Answering(FakeProvider):
    """A provider that gives these answers about a task, one after the other, and a picture."""

    answers: list[Mapping[str, Any]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The next answer, or the picture."""
        if request.method == "HEAD":
            return httpx.Response(404)
        asked = request.url.path == "/v1/get_result"
        body = json.dumps(self.answers.pop(0)).encode() if asked else picture((64, 64))
        headers = {"content-length": str(len(body))}
        return httpx.Response(200, stream=httpx.ByteStream(body), headers=headers)


def ready(cost: int | None) -> Mapping[str, Any]:
    """The answer of a server that has drawn a picture, and perhaps tells its cost in cents."""
    answer = {"id": "task-1", "status": "Ready", "result": RESULT}
    return answer if cost is None else {**answer, "cost": cost}


def collect(
    buyer: Buyer, submitted: Decimal | None, details: list[str], ordered: Mapping[str, Json]
) -> Bought | Refused | Overdue:
    """Collect an order whose answer named a cost."""
    books = Bookkeeping(
        buyer.keeping(), buyer.budget, "/project", buyer.said.append, details.append
    )
    wanted = recipe("fox")
    intended = books.intention(order(wanted), wanted, "bfl", "abc", Decimal("0.05"))
    ticketed = Ticketed(
        order=intended.order,
        attempt=intended.attempt,
        at=intended.at,
        task="task-1",
        poll="https://api.bfl.ai/v1/get_result?id=task-1",
        cost=submitted,
    )
    for entry in (intended, ticketed):
        buyer.journal.append(entry)

    async def collecting() -> Bought | Refused | Overdue:
        async with buyer.client() as client:
            collector = Collector(client, books)
            return await collector.collect(intended, collector.ticket(ticketed), "fox", ordered)

    return asyncio.run(collecting())


@pytest.mark.parametrize(
    ("settled", "submitted", "cost", "source"),
    [
        (4, "0.03", "0.04", "settled"),
        (0, "0.03", "0", "settled"),
        (None, "0.03", "0.03", "submitted"),
        (None, None, "0.05", "estimated"),
    ],
)
def test_a_receipt_has_the_best_figure_there_is(
    tmp_path: Path, settled: int | None, submitted: str | None, cost: str, source: str
) -> None:
    """Settled, else submitted, else estimated; the seed and the prompt are the server's."""
    buyer = Buyer(tmp_path / "home", Answering(answers=[ready(settled)]))

    bought = collect(buyer, Decimal(submitted) if submitted else None, [], {})

    assert isinstance(bought, Bought)
    assert bought.receipt == Receipt("bfl", "task-1", Decimal(cost), source, 7, "a red fox")
    (attempt,) = buyer.ledger.attempts
    assert attempt.delivered is not None
    assert attempt.delivered.receipt == bought.receipt


def test_each_new_state_is_told_once(tmp_path: Path) -> None:
    """Whoever asks for more sees how the server comes along."""
    states = ("Pending", "Pending", "Processing", "Pending")
    waits = [{"id": "task-1", "status": each} for each in states]
    details: list[str] = []

    collect(Buyer(tmp_path / "home", Answering(answers=[*waits, ready(3)])), None, details, {})

    assert details == ["fox: Pending", "fox: Processing", "fox: Pending"]


def test_another_seed_than_the_one_ordered_is_kept_aside(tmp_path: Path) -> None:
    """What the server says it used is compared with what was to be used."""
    buyer = Buyer(tmp_path / "home", Answering(answers=[ready(3), ready(3)]))

    with pytest.raises(DecisionError, match="is not what was ordered"):
        collect(buyer, None, [], {"seed": 8})
    assert isinstance(collect(buyer, None, [], {"seed": 7}), Bought)
    assert [each.state for each in buyer.ledger.attempts] == [State.KEPT, State.DELIVERED]
