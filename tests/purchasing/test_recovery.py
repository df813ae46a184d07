"""Recovery: claims, receipts and the spec tell what a ledger has lost, and nothing more."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from flux2build.digest import Digest, of_bytes
from flux2build.ledger import REBUILT, Delivered, Entry, Intended, State, fold
from flux2build.ledger.claims import Claim
from flux2build.model import AssetName, Receipt
from flux2build.purchasing.recovery import Witnesses, additions
from tests import journals
from tests.snapshots import generated, master

FOX = master("fox", "a fox")
ROW = replace(
    generated(FOX), receipt=Receipt("bfl", "task-1", Decimal("0.03"), "settled"), model="flux-2-pro"
)
ORDER = ROW.key
NAME = "c0ffee" * 5 + "00"
RECEIPTS = {ORDER: (AssetName("fox"), ROW)}
SENT = replace(journals.intended(NAME), order=ORDER)
TICKET = replace(journals.ticketed(SENT), task="task-1")


def states(entries: list[Entry], witnesses: Witnesses, *, complete: bool = True) -> list[State]:
    """What each attempt is after recovery; recovering once more changes nothing."""
    added = additions(entries, witnesses, complete=complete)
    whole = [*entries, *added]
    named = {each.order: each.attempt for each in added if isinstance(each, Intended)}
    claims = [
        replace(each, attempt=named.get(each.order, each.attempt)) for each in witnesses.claims
    ]
    assert additions(whole, replace(witnesses, claims=claims)) == ()
    return [attempt.state for attempt in fold(whole).attempts]


@pytest.mark.parametrize("text", [NAME, NAME[:9], "no name", ""])
def test_an_order_that_a_claim_tells_of(text: str) -> None:
    """It is in doubt, unless a receipt proves that it was delivered; its claim may be torn."""
    claim = Witnesses(claims=[Claim(ORDER, text)])
    proved = replace(claim, receipts=RECEIPTS)

    assert states([], claim, complete=False) == [State.DOUBT]
    assert states([], proved, complete=False) == [State.DELIVERED]


def test_a_claim_without_a_name_tells_nothing_of_a_whole_ledger() -> None:
    """A build without a key leaves such claims too; only where something is lost do they count."""
    empty = Witnesses(claims=[Claim(ORDER)], receipts=RECEIPTS)
    other = Claim(of_bytes(b"other"), NAME)

    assert states([], empty) == []
    assert states([], replace(empty, emptied=True)) == [State.DELIVERED]
    assert len(states([], replace(empty, claims=[Claim(ORDER), other]))) == 2


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        ([SENT], State.DOUBT),
        ([SENT, TICKET], State.DELIVERED),
        ([TICKET], State.DELIVERED),
        ([SENT, replace(TICKET, task="task-2")], State.PENDING),
        ([SENT, journals.voided(SENT, charged=True)], State.VOIDED),
        ([replace(SENT, account=REBUILT)], State.DELIVERED),
    ],
)
def test_a_receipt_settles_its_own_attempt_only(entries: list[Entry], state: State) -> None:
    """The same task, or nothing else known; what a person or the server said stays."""
    witnesses = Witnesses(claims=[Claim(ORDER, NAME)], receipts=RECEIPTS)

    assert states(entries, witnesses) == [state]


def test_without_a_claim_a_receipt_is_somebody_elses() -> None:
    """What was never ordered on this machine is not entered in its ledger."""
    assert states([], Witnesses(receipts=RECEIPTS), complete=False) == []


def test_a_newer_attempt_is_in_doubt_beside_an_older_delivery() -> None:
    """The claim names the newest attempt: that one may be paid for as well."""
    older = replace(SENT, attempt="1" * 32)
    entries: list[Entry] = [older, replace(journals.delivered(older), order=ORDER)]
    witnesses = Witnesses(claims=[Claim(ORDER, NAME)], receipts=RECEIPTS)

    assert states(entries, witnesses) == [State.DELIVERED, State.DOUBT]


def test_a_lost_beginning_is_described_by_whatever_knows_it() -> None:
    """The receipt, else the spec, else the delivery; an order that nobody knows is called so."""
    known = Witnesses(claims=[Claim(ORDER, NAME)], receipts=RECEIPTS, project="/site")
    wanted = replace(known, receipts={}, wanted={ORDER: (FOX, Decimal("0.05"))})
    arrived: Delivered = replace(journals.delivered(SENT), asset="cub", project="/den")

    assert described([], known) == ("fox", "bfl", Decimal("0.03"), "/site")
    assert described([], wanted) == ("fox", "fake", Decimal("0.05"), "/site")
    assert described([], replace(wanted, wanted={})) == ("unknown", "unknown", Decimal(0), "")
    assert described([arrived], replace(wanted, wanted={})) == (
        "cub",
        "bfl",
        Decimal("0.03"),
        "/den",
    )


def described(entries: list[Entry], witnesses: Witnesses) -> tuple[str, str, Decimal, str]:
    """The beginning that is added."""
    (begun,) = (e for e in additions(entries, witnesses) if isinstance(e, Intended))
    return begun.asset, begun.provider, begun.reserve, begun.project


def test_free_pictures_are_no_orders() -> None:
    """An embedded provider's pictures have no beginning, and lack none."""
    drawn = Delivered(order=ORDER, output=Digest(of_bytes(b"x")), receipt=Receipt("sketch"))

    assert additions([drawn], Witnesses()) == ()
