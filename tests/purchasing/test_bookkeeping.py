"""Journal and budget tell one story of every attempt to buy."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flux2build.digest import of_bytes
from flux2build.errors import DecisionError, SystemFault
from flux2build.ledger import Delivered, Entry, Foreign, Intended, Kept, Ticketed, Voided
from flux2build.model import Receipt, payload
from flux2build.providers.contract import Refusal, Refused, Ticket
from flux2build.purchasing.bookkeeping import Bookkeeping
from flux2build.purchasing.safekeeping import Stored
from tests.paid_provider import Buyer, FakeProvider, order, recipe

FOX = recipe("a fox", "fox")
ORDER = order(FOX)
PICTURE = of_bytes(b"picture")
STORED = Stored(PICTURE, Path("picture"))
RECEIPT = Receipt("bfl", "task-1", Decimal("0.02"), "settled")
TICKET = Ticket("task-1", "https://x.example/1", Decimal("0.02"))
SECONDS, MICROSECONDS = (
    re.compile(rf"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d{rest}\+00:00") for rest in ("", r"\.\d{6}")
)


@pytest.fixture
def buyer(tmp_path: Path) -> Buyer:
    """A user who has bought nothing yet."""
    return Buyer(tmp_path / "home", FakeProvider())


@pytest.fixture
def books(buyer: Buyer) -> Bookkeeping:
    """The books of one run."""
    return Bookkeeping(buyer.keeping(), buyer.budget, "/project", buyer.said.append)


def begun(books: Bookkeeping, worst: str = "0.03") -> Intended:
    """An attempt that is set aside and written down."""
    intended = books.intention(ORDER, FOX, "bfl", "account", Decimal(worst))
    books.reserve(intended)
    asyncio.run(books.intend(intended))
    return intended


def noted(books: Bookkeeping, step: Coroutine[Any, Any, object]) -> Entry:
    """The entry that a step writes, without its time."""
    before = len(books.journal.read())
    asyncio.run(step)
    (entry,) = books.journal.read()[before:]
    assert not isinstance(entry, Foreign)
    precise = isinstance(entry, Voided | Kept)
    assert (MICROSECONDS if precise else SECONDS).fullmatch(entry.at)
    return replace(entry, at="")


def test_what_is_written_down_of_an_order(books: Bookkeeping) -> None:
    """All that a later build or a person needs, under a name of its own."""
    intended = begun(books)

    assert books.journal.read() == [intended]
    assert re.fullmatch("[0-9a-f]{32}", intended.attempt)
    assert SECONDS.fullmatch(intended.at)
    assert intended == Intended(
        order=ORDER.digest,
        attempt=intended.attempt,
        at=intended.at,
        provider="bfl",
        model="flux-2-pro",
        asset="fox",
        reserve=Decimal("0.03"),
        payload=payload("flux-2-pro", "a fox", {"width": 64, "height": 64, "format": "png"}),
        project="/project",
        account="account",
        expected={"width": 64, "height": 64, "format": "png"},
    )
    assert begun(books).attempt != intended.attempt


def test_what_is_written_down_of_its_ticket(buyer: Buyer, books: Bookkeeping) -> None:
    """The task is reported at once; the reservation stays."""
    sent = begun(books)

    entry = noted(books, books.ticketed(sent, TICKET))

    assert entry == Ticketed(
        order=ORDER.digest,
        attempt=sent.attempt,
        at="",
        task="task-1",
        poll="https://x.example/1",
        cost=Decimal("0.02"),
    )
    assert buyer.said == ["submitted fox task=task-1"]
    assert (buyer.budget.spent, buyer.budget.reserved) == (Decimal(0), Decimal("0.03"))


@pytest.mark.parametrize(("charged", "spent"), [(True, "0.03"), (False, "0")])
def test_what_is_written_down_of_a_refusal(
    buyer: Buyer, books: Bookkeeping, spent: str, *, charged: bool
) -> None:
    """What may have been charged counts as spent; the rest is given back."""
    sent = begun(books)

    entry = noted(books, books.voided(sent, Refused(Refusal.FAILED, "no", charged=charged)))

    assert entry == Voided(
        order=ORDER.digest,
        attempt=sent.attempt,
        at="",
        refusal="failed",
        message="no",
        charged=charged,
    )
    assert (buyer.budget.spent, buyer.budget.reserved) == (Decimal(spent), Decimal(0))


def test_what_is_written_down_of_pictures(books: Bookkeeping) -> None:
    """The one that was ordered is delivered; another one is kept, with what is wrong."""
    sent = begun(books)
    wrong = DecisionError("too small", "cut off")

    assert noted(books, books.kept(sent, STORED, RECEIPT, wrong)) == Kept(
        order=ORDER.digest,
        attempt=sent.attempt,
        at="",
        output=PICTURE,
        receipt=RECEIPT,
        message="too small; cut off",
    )
    assert noted(books, books.delivered(sent, "icon", STORED, RECEIPT)) == Delivered(
        order=ORDER.digest,
        output=PICTURE,
        receipt=RECEIPT,
        attempt=sent.attempt,
        at="",
        project="/project",
        asset="icon",
        model="flux-2-pro",
    )


@pytest.mark.parametrize("kept", [True, False])
def test_a_picture_in_the_spool_is_noted_there(
    buyer: Buyer, books: Bookkeeping, *, kept: bool
) -> None:
    """The ledger names no bytes that the store does not have; the reason is reported."""
    sent, fault = begun(books), SystemFault("the disk is full")
    spooled = replace(STORED, fault=fault)

    if kept:
        asyncio.run(books.kept(sent, spooled, RECEIPT, fault))
    else:
        assert asyncio.run(books.delivered(sent, "fox", spooled, RECEIPT)) is fault

    assert books.journal.read() == [sent]
    (entry,) = buyer.spool.journal.read()
    assert isinstance(entry, Kept if kept else Delivered)


@pytest.mark.parametrize(
    ("cost", "spent", "said"),
    [
        ("0.02", "0.02", []),
        (None, "0.03", []),
        ("0.05", "0.05", ["warning: `fox` costs $0.05, $0.02 more than the list price"]),
    ],
)
def test_what_arrives_is_spent(
    buyer: Buyer, books: Bookkeeping, cost: str | None, spent: str, said: list[str]
) -> None:
    """It costs the receipt's price, else the worst case set aside; a higher price is reported."""
    sent = begun(books)

    books.settled(sent, replace(RECEIPT, cost=None if cost is None else Decimal(cost)))

    assert (buyer.budget.spent, buyer.budget.reserved) == (Decimal(spent), Decimal(0))
    assert buyer.said == said


def test_what_is_unsettled(buyer: Buyer, books: Bookkeeping) -> None:
    """Open orders are, and so are those that this very run bought, but not an earlier run's."""
    digest = ORDER.digest
    assert not books.unsettled(digest)
    sent = begun(books)
    later = Bookkeeping(buyer.keeping(), buyer.budget, "/project", buyer.said.append)
    assert books.unsettled(digest)
    assert later.unsettled(digest)

    asyncio.run(books.delivered(sent, "fox", STORED, RECEIPT))

    assert books.unsettled(digest)
    assert not later.unsettled(digest)
    assert not books.unsettled(of_bytes(b"other"))


def test_an_intention_that_cannot_be_written_is_proved_anew(
    buyer: Buyer, books: Bookkeeping
) -> None:
    """Everything is tried again before the next order, and nothing stays set aside."""
    asyncio.run(books.keeping.prove())
    intended = books.intention(ORDER, FOX, "bfl", "account", Decimal("0.03"))
    books.reserve(intended)
    books.journal.path.mkdir(parents=True)

    with pytest.raises(SystemFault):
        asyncio.run(books.intend(intended))
    books.release(intended)

    assert buyer.budget.reserved == 0
    with pytest.raises(SystemFault):
        asyncio.run(books.keeping.prove())


def test_prices_without_figures_of_the_server(tmp_path: Path) -> None:
    """Where neither ticket nor answer names a cost, the worst case is the estimate."""
    buyer = Buyer(tmp_path / "home", FakeProvider(tells=False))

    (bought,) = buyer.buy("fox")

    assert (bought.receipt.cost, bought.receipt.cost_source) == (Decimal("0.03"), "estimated")
    assert buyer.budget.spent == Decimal("0.03")
