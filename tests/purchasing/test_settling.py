"""Settling: every decision about an open order comes to one entry, and none undoes what a build did."""

from __future__ import annotations

import os
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from flux2build.digest import Json, of_bytes
from flux2build.errors import Problem, SystemFault, UsageError
from flux2build.images.formats.contract import PictureError
from flux2build.ledger import Attempt, Delivered, Entry, Kept, State, Ticketed, Voided
from flux2build.ledger.journal import Journal
from flux2build.model import Receipt
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Remote
from flux2build.purchasing import settling
from flux2build.purchasing.redaction import Key
from flux2build.purchasing.settling import Purchase
from flux2build.storage.store import Store
from tests import journals
from tests.paid_provider import picture

NOW: Final = datetime(2026, 11, 26, 12, 0, 0, 5, tzinfo=UTC)
WRONG: Final = of_bytes(b"wrong")

_SENT: Final = {
    name: journals.intended(name) for name in ("doubt", "pending", "kept", "delivered", "voided")
}
ENTRIES: Final[tuple[Entry, ...]] = (
    *_SENT.values(),
    journals.ticketed(_SENT["pending"], cost="0.05"),
    journals.ticketed(_SENT["kept"]),
    journals.kept(_SENT["kept"], WRONG),
    journals.ticketed(_SENT["delivered"]),
    journals.delivered(_SENT["delivered"]),
    journals.voided(_SENT["voided"], charged=False),
)
KEYED: Final = "that is the key of `bfl`, or has it in it, and not a task"
SECRET: Final = Key("settling-" + "s" * 20)
REMOTES: Final = [name for name, member in PROVIDERS.items() if isinstance(member, Remote)]


def purchase(name: str) -> Purchase:
    """The purchase of that state."""
    return settling.find(ENTRIES, name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store without pictures."""
    return Store(tmp_path / "store")


def after(entry: Entry, name: str) -> Attempt:
    """What the ledger says of an attempt once a decision is recorded."""
    return settling.find((*ENTRIES, entry), name).attempt


def test_what_is_in_doubt_pending_or_kept_is_open() -> None:
    """What is delivered or voided is settled; the others wait for a build or a person."""
    states = {each.attempt.name: each.open for each in settling.purchases(ENTRIES)}

    assert states == {
        "doubt": True,
        "pending": True,
        "kept": True,
        "delivered": False,
        "voided": False,
    }


def test_a_picture_is_missing_once_it_was_delivered_and_the_store_has_none(store: Store) -> None:
    """No picture is expected there of an order in any other state."""
    missing = [name for name in _SENT if settling.missing(purchase(name), store)]

    assert missing == ["delivered"]
    store.put(b"picture")
    assert not settling.missing(purchase("delivered"), store)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "several orders begin with ``"),
        ("d", "several orders begin with `d`"),
        ("x", "there is no order `x`"),
        ("delivered", "order `delivere` is delivered already"),
        ("voided", "order `voided` is voided already"),
    ],
)
def test_only_one_open_order_is_settled(name: str, message: str) -> None:
    """A name that fits none, several or a settled order settles nothing."""
    with pytest.raises(UsageError) as caught:
        settling.find_open(ENTRIES, name)

    hint = None if message.startswith("order") else "`flux2build orders list` names them"
    assert caught.value.problems == (Problem(message, hint=hint),)


@pytest.mark.parametrize("provider", REMOTES)
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:8765"])
def test_a_task_becomes_the_ticket(provider: str, endpoint: str | None) -> None:
    """A task found at any provider is asked for at that provider's endpoint, the user's own first."""
    remote = PROVIDERS[provider]
    assert isinstance(remote, Remote)

    entry = settling.adopt_task(purchase("doubt"), "abc-123", remote, endpoint, NOW)

    attempt = after(entry, "doubt")
    assert attempt.state is State.PENDING
    assert attempt.ticketed == entry
    assert entry.poll.startswith(endpoint or remote.endpoint)
    assert "abc-123" in entry.poll


@pytest.mark.parametrize("seconds", [0, 1, -3600])
def test_another_task_replaces_the_ticket(seconds: int) -> None:
    """A person knows better where to ask, even in the same second or if the clock went back."""
    now = datetime.fromisoformat(_SENT["pending"].at) + timedelta(seconds=seconds)

    entry = settling.adopt_task(purchase("pending"), "task-of-another", PROVIDERS["bfl"], None, now)

    assert after(entry, "pending").ticketed == entry


@pytest.mark.parametrize(
    ("name", "task", "provider", "message"),
    [
        ("doubt", "task-of-mine", "sketch", "order `doubt` does not name a paid provider"),
        ("doubt", "task-of-mine", "gone", "order `doubt` does not name a paid provider"),
        ("doubt", "a b", "bfl", "`a b` cannot be a task of `bfl`"),
        ("doubt", "..", "replicate", "`..` cannot be a task of `replicate`"),
        ("doubt", "x" * 300, "bfl", f"`{'x' * 300}` cannot be a task of `bfl`"),
        ("doubt", SECRET.reveal(), "bfl", KEYED),
        ("doubt", f"task:{SECRET.reveal()}", "bfl", KEYED),
    ],
)
def test_what_cannot_be_a_task(name: str, task: str, provider: str, message: str) -> None:
    """An odd id, a free provider, or an order that arrived already."""
    with pytest.raises(UsageError) as caught:
        settling.adopt_task(purchase(name), task, PROVIDERS.get(provider), None, NOW)

    assert caught.value.problems == (Problem(message),)


def test_what_is_kept_aside_is_not_collected_from_another_task() -> None:
    """Its own task may be named, so that it is fetched again."""
    receipt = replace(journals.receipt(_SENT["kept"], "0.03", "settled"), task="task-kept")
    arrived = replace(journals.kept(_SENT["kept"], WRONG), receipt=receipt)
    kept = settling.find((_SENT["kept"], arrived), "kept")

    with pytest.raises(UsageError) as caught:
        settling.adopt_task(kept, "task-of-mine", PROVIDERS["bfl"], None, NOW)

    assert caught.value.problems == (
        Problem(
            "what order `kept` brought is kept aside",
            hint="`flux2build orders adopt kept` takes it as it is; with the task `task-kept` the "
            "next build fetches it again",
        ),
    )
    entry = settling.adopt_task(kept, "task-kept", PROVIDERS["bfl"], None, NOW)
    assert entry.task == "task-kept"


def test_what_a_decision_writes_down() -> None:
    """It has who, what and when: claim checks to the microsecond, decisions to the second."""
    pending, doubt = purchase("pending"), purchase("doubt")
    sent = _SENT["pending"]

    assert settling.adopt_task(pending, "task-of-mine", PROVIDERS["bfl"], None, NOW) == Ticketed(
        order=sent.order,
        attempt="pending",
        at="2026-11-26T12:00:00.000005+00:00",
        task="task-of-mine",
        poll="https://api.bfl.ai/v1/get_result?id=task-of-mine",
    )
    assert settling.write_off(doubt, NOW) == Voided(
        order=_SENT["doubt"].order,
        attempt="doubt",
        at="2026-11-26T12:00:00+00:00",
        refusal="written-off",
        message="settled by hand",
        charged=True,
    )
    described = settling.find((replace(sent, project="site"),), "pending")
    assert settling.adopt_picture(described, WRONG, NOW) == Delivered(
        order=sent.order,
        output=WRONG,
        receipt=Receipt("bfl", "", Decimal("0.03"), "estimated"),
        attempt="pending",
        at="2026-11-26T12:00:00+00:00",
        project="site",
        asset="icon",
        model="flux-2-pro",
    )
    adopted = settling.adopt_picture(pending, WRONG, NOW)
    assert adopted.receipt == Receipt("bfl", "task-pending", Decimal("0.05"), "submitted")


@pytest.mark.parametrize("what", ["ticketed", "kept", "voided"])
@pytest.mark.parametrize("zone", ["+00:00", ""])
def test_a_claim_check_comes_after_everything_else(what: str, zone: str) -> None:
    """It does so whatever the clock says; an odd time in an old entry is ignored."""
    sent, late = _SENT["doubt"], f"2027-01-01T00:00:00.5{zone or ' o clock'}"
    arrived = journals.kept(sent, WRONG)
    entries: dict[str, Entry] = {
        "ticketed": replace(journals.ticketed(sent), at=late),
        "kept": replace(arrived, at=late, receipt=replace(arrived.receipt, task="task-of-mine")),
        "voided": replace(journals.voided(sent, charged=True), refusal="lost", at=late),
    }
    own = settling.find((sent, entries[what]), "doubt")

    entry = settling.adopt_task(own, "task-of-mine", PROVIDERS["bfl"], None, NOW)

    assert entry.at == ("2027-01-01T00:00:00.500001+00:00" if zone else NOW.isoformat())


@pytest.mark.parametrize(
    ("name", "cost", "source"),
    [("doubt", "0.03", "estimated"), ("pending", "0.05", "submitted"), ("kept", "0.03", "settled")],
)
def test_a_picture_is_adopted_at_the_best_known_price(name: str, cost: str, source: str) -> None:
    """The receipt that came with it, else what the ticket says, else what was set aside."""
    attempt = after(settling.adopt_picture(purchase(name), WRONG, NOW), name)

    assert attempt.state is State.DELIVERED
    assert attempt.delivered is not None
    assert attempt.delivered.output == WRONG
    assert attempt.delivered.receipt.cost == Decimal(cost)
    assert attempt.delivered.receipt.cost_source == source


def test_what_was_kept_aside_can_be_taken(tmp_path: Path) -> None:
    """The picture that arrived is named by the order that it was kept for, and by no other one."""
    store = Store(tmp_path / "store")
    store.put(b"wrong")

    assert settling.kept_picture(purchase("kept"), store) == WRONG
    with pytest.raises(UsageError) as caught:
        settling.kept_picture(purchase("doubt"), store)
    assert caught.value.problems == (
        Problem(
            "nothing was kept aside for order `doubt`",
            hint="`flux2build orders adopt doubt TASK` names the task to collect",
        ),
    )


def test_a_kept_picture_without_bytes_is_not_taken(tmp_path: Path) -> None:
    """An order whose picture the store has lost stays open: once delivered, it would be bought again."""
    with pytest.raises(UsageError, match="the store holds no picture"):
        settling.kept_picture(purchase("kept"), Store(tmp_path / "store"))


@pytest.mark.parametrize(
    ("size", "params", "wrong"),
    [
        ((8, 8), None, {}),
        ((8, 8), {"width": 8, "height": 8, "format": "png"}, {}),
        ((8, 8), {"width": None, "seed": 1}, {}),
        ((9, 8), {"width": 9, "height": 9}, {"height": 9}),
        ((8, 8), {"width": 16, "height": 9}, {"width": 16, "height": 9}),
    ],
)
def test_a_picture_is_compared_with_what_was_ordered(
    size: tuple[int, int], params: dict[str, Json] | None, wrong: dict[str, int]
) -> None:
    """Another size or format is refused, as far as the ordered ones are known."""
    refusal = pytest.raises(UsageError) if wrong else nullcontext()

    with refusal as caught:
        settling.check_fit(purchase("doubt"), picture(size), "mine.png", params)

    if caught:
        rows = tuple((name, f"8, ordered {ordered}") for name, ordered in wrong.items())
        (problem,) = caught.value.problems
        assert problem.message == "`mine.png` is not what order `doubt` asked for"
        assert problem.rows == rows


def test_pictures_of_the_users_own(tmp_path: Path) -> None:
    """A file that is missing or not a picture is refused, as is one that the store lacks."""
    store = Store(tmp_path / "store")
    digest = store.put(picture((8, 8)))

    assert settling.stored_picture(digest, store) == digest
    with pytest.raises(PictureError):
        settling.check_fit(purchase("doubt"), b"a text", "mine.png", None)
    with pytest.raises(SystemFault, match=f"^cannot read `{tmp_path}`: is a directory$"):
        settling.file_of_picture(tmp_path)
    tmp_path.joinpath("mine.png").write_bytes(b"mine")
    assert settling.file_of_picture(tmp_path / "mine.png") == b"mine"
    for name, message, hint in (
        (WRONG, f"the store holds no picture `{WRONG}`", None),
        ("sha256:12", "`sha256:12` is not a digest", "it has 64 digits from 0 to f"),
        (f"{digest}0", f"`{digest}0` is not a digest", "it has 64 digits from 0 to f"),
    ):
        with pytest.raises(UsageError) as caught:
            settling.stored_picture(name, store)
        assert caught.value.problems == (Problem(message, hint=hint),)


@pytest.mark.parametrize("name", ["doubt", "pending", "kept"])
def test_everything_open_can_be_written_off(name: str) -> None:
    """What is written off counts as spent."""
    voided = after(settling.write_off(purchase(name), NOW), name).voided

    assert voided is not None
    assert (voided.refusal, voided.charged) == ("written-off", True)


@pytest.mark.parametrize(("name", "charged"), [("doubt", False), ("delivered", True)])
def test_what_is_in_doubt_or_lost_is_resubmitted(name: str, charged: bool, store: Store) -> None:  # noqa: FBT001 - parametrized
    """What was not bought costs nothing; a picture that is lost stays paid for."""
    attempt = after(settling.resubmit(purchase(name), store, NOW), name)

    assert attempt.voided is not None
    assert (attempt.state, attempt.voided.charged) == (State.VOIDED, charged)


def test_what_is_there_or_may_arrive_is_not_resubmitted(store: Store) -> None:
    """An order is not sent again while there is a picture of it, or one may still come."""
    store.put(b"picture")

    for name, problem in {
        "pending": Problem(
            "order `pending` is pending: it was bought", hint=GIVE_UP.format("pending")
        ),
        "kept": Problem("order `kept` is kept aside: it was bought", hint=GIVE_UP.format("kept")),
        "delivered": Problem("order `delivere` is delivered already"),
        "voided": Problem("order `voided` is voided already"),
    }.items():
        with pytest.raises(UsageError) as caught:
            settling.resubmit(purchase(name), store, NOW)
        assert caught.value.problems == (problem,)


GIVE_UP: Final = "`flux2build orders write-off {}` gives it up and counts it as spent"


def test_what_is_resubmitted_and_why(store: Store) -> None:
    """A lost order was paid for; one in doubt that a person found unsent was not."""
    gone = replace(journals.voided(_SENT["doubt"], charged=True), refusal="lost")
    lost = settling.find((_SENT["doubt"], gone), "doubt")

    for order, refusal, charged in (
        (purchase("doubt"), "not-bought", False),
        (lost, "resubmitted", True),
        (purchase("delivered"), "resubmitted", True),
    ):
        entry = settling.resubmit(order, store, NOW)
        assert (entry.refusal, entry.charged) == (refusal, charged)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal with an order of each state."""
    journal = Journal(tmp_path / "ledger.jsonl")
    for entry in ENTRIES:
        journal.append(entry)
    return journal


def test_a_decision_is_recorded(journal: Journal) -> None:
    """The journal holds it, and the order is settled."""
    settling.record(journal, purchase("doubt"), settling.write_off(purchase("doubt"), NOW))

    assert settling.find(journal.read(), "doubt").state is State.VOIDED


def test_a_decision_is_recorded_with_its_picture_or_not_at_all(journal: Journal) -> None:
    """The picture comes first; no decision is added to a damaged journal, and the claim is given back."""
    doubt, kept = purchase("doubt"), list[int]()
    entry = settling.adopt_picture(doubt, WRONG, NOW)

    settling.record(journal, doubt, entry, lambda: kept.append(len(journal.read())))

    assert kept == [len(ENTRIES)]
    assert journal.read() == [*ENTRIES, entry]
    claim = journal.claims.take(doubt.attempt.order)
    assert claim is not None
    os.close(claim)
    journal.path.write_bytes(journal.path.read_bytes().replace(b"task-kept", b"tusk-kept"))
    with pytest.raises(SystemFault, match="damaged"):
        settling.record(Journal(journal.path), purchase("pending"), entry, lambda: kept.append(0))
    assert kept == [len(ENTRIES)]


@pytest.mark.parametrize("owner", ["pending", "kept", "delivered"])
def test_the_task_of_another_order_is_not_adopted(journal: Journal, owner: str) -> None:
    """One picture cannot be two orders: nothing is written, and the order stays open."""
    before, doubt = journal.path.read_bytes(), purchase("doubt")
    stored: list[str] = []
    entry = settling.adopt_task(doubt, f"task-{owner}", PROVIDERS["bfl"], None, NOW)

    with pytest.raises(UsageError) as caught:
        settling.record(journal, doubt, entry, lambda: stored.append("picture"))

    assert caught.value.problems == (
        Problem(
            f"`task-{owner}` is the task of order `{owner[:8]}`",
            hint=f"`flux2build orders show {owner[:8]}` tells what became of it",
        ),
    )
    assert journal.path.read_bytes() == before
    assert stored == []


@pytest.mark.parametrize(
    "arrived", [each for each in ENTRIES if isinstance(each, Delivered | Kept)]
)
def test_a_picture_without_a_ticket_claims_its_task(arrived: Delivered | Kept) -> None:
    """The task on its receipt belongs to its order, though the ticket was lost."""
    lone = replace(arrived, receipt=replace(arrived.receipt, task="abc-123"))
    entry = settling.adopt_task(purchase("doubt"), "abc-123", PROVIDERS["bfl"], None, NOW)

    with pytest.raises(UsageError, match=f"`abc-123` is the task of order `{arrived.attempt[:8]}`"):
        settling.check_unclaimed([lone], entry)


def test_a_task_may_be_named_again(journal: Journal) -> None:
    """It is asked for at the provider's own address from then on."""
    pending = purchase("pending")
    entry = settling.adopt_task(pending, "task-pending", PROVIDERS["bfl"], None, NOW)

    settling.record(journal, pending, entry)

    assert settling.find(journal.read(), "pending").attempt.ticketed == entry


@pytest.mark.parametrize("busy", [True, False])
def test_a_build_that_came_further_wins(journal: Journal, store: Store, *, busy: bool) -> None:
    """While a build has the order, or once it has settled it, nothing is recorded."""
    doubt = purchase("doubt")
    claim = journal.claims.take(doubt.attempt.order)
    assert claim is not None
    if not busy:
        journal.append(journals.ticketed(doubt.intended))
        os.close(claim)
    before = journal.read()

    with pytest.raises(SystemFault if busy else UsageError) as caught:
        settling.record(journal, doubt, settling.resubmit(doubt, store, NOW))

    assert caught.value.problems == (
        Problem(
            "a build is at order `doubt` this very moment",
            hint="let it finish, then `flux2build orders list` shows what became of it",
        )
        if busy
        else Problem("order `doubt` is pending by now"),
    )
    assert journal.read() == before
    if busy:
        os.close(claim)
