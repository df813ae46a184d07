"""Recovery: claims, receipts and the spec tell what a ledger has lost, and nothing more."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from msgspec.structs import replace

from flux2build.digest import Digest, of_bytes
from flux2build.ledger import REBUILT, Delivered, Entry, Intended, State, fold
from flux2build.ledger.claims import Claim
from flux2build.model import AssetName, Receipt, payload
from flux2build.purchasing.recovery import Proof, Witnesses, additions
from tests import journals
from tests.snapshots import generated, master

FOX = master("fox", "a fox")
ROW = replace(
    generated(FOX), receipt=Receipt("bfl", "task-1", Decimal("0.03"), "settled"), model="flux-2-pro"
)
ORDER = ROW.key
NAME = "c0ffee" * 5 + "00"
RECEIPTS = {ORDER: Proof(AssetName("fox"), ROW)}
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
    """It needs the same task, or no other fact; what a person or the server decided stays."""
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
    """The receipt describes it, else the spec or the delivery; otherwise it is called unknown."""
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


AT = "2026-11-02T10:00:00+00:00"
CLAIM = Claim(ORDER, NAME, 1_793_613_600)
BARE = Intended(
    order=ORDER,
    attempt=NAME,
    at=AT,
    provider="unknown",
    model="unknown",
    asset="unknown",
    reserve=Decimal(0),
    payload=of_bytes(b""),
    account=REBUILT,
)
BY_RECEIPT = replace(
    BARE,
    provider="bfl",
    model="flux-2-pro",
    asset="fox",
    reserve=Decimal("0.03"),
    payload=payload("flux-2-pro", "a fox", {"width": 64}),
    expected={"width": 64},
    project="/site",
)
PROVED = Delivered(
    order=ORDER,
    output=ROW.output.sha256,
    receipt=ROW.receipt,
    attempt=NAME,
    at=AT,
    project="/site",
    asset="fox",
    model="flux-2-pro",
)
KNOWN = Witnesses(claims=[CLAIM], receipts=RECEIPTS, project="/site")
UNPRICED = {ORDER: Proof(AssetName("fox"), replace(ROW, receipt=Receipt("bfl", "task-1")))}
ARRIVED = replace(
    journals.delivered(SENT, "0.04"), asset="cub", project="/den", model="flex", order=ORDER
)
KEPT = replace(journals.kept(SENT, of_bytes(b"kept")), at="2026-12-01", order=ORDER)


@pytest.mark.parametrize(
    ("entries", "witnesses", "added"),
    [
        ([], Witnesses(claims=[CLAIM], project="/site"), [BARE]),
        ([], KNOWN, [BY_RECEIPT, PROVED]),
        (
            [],
            replace(KNOWN, receipts=UNPRICED),
            [
                replace(BY_RECEIPT, reserve=Decimal(0)),
                replace(PROVED, receipt=Receipt("bfl", "task-1")),
            ],
        ),
        (
            [],
            replace(KNOWN, receipts={}, wanted={ORDER: (FOX, Decimal("0.05"))}),
            [
                replace(
                    BY_RECEIPT,
                    provider="fake",
                    model="m",
                    reserve=Decimal("0.05"),
                    payload=payload("m", "a fox", {"width": 64}),
                )
            ],
        ),
        (
            [],
            replace(KNOWN, receipts={}, wanted={ORDER: (FOX, None)}),
            [
                replace(
                    BY_RECEIPT,
                    provider="fake",
                    model="m",
                    reserve=Decimal(0),
                    payload=payload("m", "a fox", {"width": 64}),
                )
            ],
        ),
        (
            [ARRIVED],
            replace(KNOWN, receipts={}),
            [
                replace(
                    BARE,
                    provider="bfl",
                    model="flex",
                    asset="cub",
                    reserve=Decimal("0.04"),
                    project="/den",
                )
            ],
        ),
        (
            [KEPT],
            replace(KNOWN, receipts={}),
            [replace(BARE, at="2026-12-01", provider="bfl", reserve=Decimal("0.03"))],
        ),
        (
            [replace(ARRIVED, receipt=Receipt("fal"))],
            replace(KNOWN, receipts={}),
            [replace(BARE, provider="fal", model="flex", asset="cub", project="/den")],
        ),
        ([SENT, TICKET], KNOWN, [replace(PROVED, at=TICKET.at)]),
        ([SENT, replace(TICKET, task="task-2")], KNOWN, []),
        ([SENT], KNOWN, []),
        ([replace(TICKET, at="")], KNOWN, [replace(BY_RECEIPT, at=""), replace(PROVED, at="")]),
        (
            [TICKET, replace(TICKET, attempt="b" * 32, task="task-2")],
            replace(KNOWN, receipts={}, claims=[]),
            [BARE, replace(BARE, attempt="b" * 32)],
        ),
    ],
)
def test_what_is_added_word_for_word(
    entries: list[Entry], witnesses: Witnesses, added: list[Entry]
) -> None:
    """All that is known about an order is added, the rest is called unknown; the ledger stays."""
    assert list(additions(entries, witnesses)) == added


def test_an_attempt_without_a_name_gets_one_of_its_own() -> None:
    """It is the same for the same order, another one for another, and shaped like any name."""
    torn = [Claim(ORDER, "torn"), Claim(of_bytes(b"other"), "torn")]

    first, second = additions([], Witnesses(claims=torn))

    assert [first, second] == list(additions([], Witnesses(claims=torn[::-1])))
    assert first.order < second.order
    assert first.attempt != second.attempt
    assert all(re.fullmatch("[0-9a-f]{32}", each.attempt) for each in (first, second))
    assert first.at == second.at == "1970-01-01T00:00:00+00:00"


def test_a_claim_that_names_no_attempt_counts_once_anything_is_lost() -> None:
    """It counts only for an order of which the ledger knows nothing at all."""
    empty = Witnesses(claims=[replace(CLAIM, attempt="")])

    assert len(additions([], empty, complete=False)) == 1
    assert additions([SENT], empty, complete=False) == ()
    assert additions([SENT], replace(empty, emptied=True)) == ()
    assert additions([], empty) == ()
