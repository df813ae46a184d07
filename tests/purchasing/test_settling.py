"""Settling: every decision about an open order comes to one entry, and none undoes what a build did."""

from __future__ import annotations

import os
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from flux2build.digest import Json, of_bytes
from flux2build.errors import Flux2BuildError, SystemFault, UsageError
from flux2build.images.formats.contract import PictureError
from flux2build.ledger import Attempt, Entry, State
from flux2build.ledger.journal import Journal
from flux2build.providers.contract import PROVIDERS, Remote
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
    with pytest.raises(UsageError, match=f"^{message}$"):
        settling.find_open(ENTRIES, name)


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
    """A person knows better where to ask, also in the same second, and if the clock went back."""
    now = datetime.fromisoformat(_SENT["pending"].at) + timedelta(seconds=seconds)

    entry = settling.adopt_task(purchase("pending"), "another", PROVIDERS["bfl"], None, now)

    assert after(entry, "pending").ticketed == entry


@pytest.mark.parametrize(
    ("name", "task", "provider", "message"),
    [
        ("kept", "abc", "bfl", "what order `kept` brought is kept aside"),
        ("doubt", "abc", "sketch", "order `doubt` does not name a paid provider"),
        ("doubt", "abc", "gone", "order `doubt` does not name a paid provider"),
        ("doubt", "a b", "bfl", "`a b` cannot be a task of `bfl`"),
        ("doubt", "x" * 300, "bfl", "cannot be a task of `bfl`"),
        ("doubt", SECRET.reveal(), "bfl", "^that is the key of `bfl`, or has it in it"),
        ("doubt", f"task:{SECRET.reveal()}", "bfl", "^that is the key of `bfl`, or has it in it"),
    ],
)
def test_what_cannot_be_a_task(name: str, task: str, provider: str, message: str) -> None:
    """An odd id, a free provider, or an order that arrived already."""
    with pytest.raises(UsageError, match=message):
        settling.adopt_task(purchase(name), task, PROVIDERS.get(provider), None, NOW)


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
    with pytest.raises(UsageError, match="nothing was kept aside for order `doubt`"):
        settling.kept_picture(purchase("doubt"), store)


def test_a_kept_picture_without_bytes_is_not_taken(tmp_path: Path) -> None:
    """An order whose picture the store has lost stays open: once delivered, it would be bought again."""
    with pytest.raises(UsageError, match="the store holds no picture"):
        settling.kept_picture(purchase("kept"), Store(tmp_path / "store"))


@pytest.mark.parametrize(
    ("size", "params", "wrong"),
    [
        ((8, 8), None, []),
        ((8, 8), {"width": 8, "height": 8, "format": "png"}, []),
        ((8, 9), {"width": 8, "height": 8}, ["height"]),
        ((8, 8), {"width": 16, "format": "jpeg"}, ["width", "format"]),
    ],
)
def test_a_picture_is_compared_with_what_was_ordered(
    size: tuple[int, int], params: dict[str, Json] | None, wrong: list[str]
) -> None:
    """One of another size or format is refused, as far as it is known what was ordered."""
    refusal = pytest.raises(UsageError) if wrong else nullcontext()

    with refusal as caught:
        settling.check_fit(purchase("doubt"), picture(size), "mine.png", params)

    rows = caught.value.problems[0].rows if caught else ()
    assert [name for name, _ in rows] == wrong


def test_pictures_of_the_users_own(tmp_path: Path) -> None:
    """A file that is no picture or is missing is refused, and so are bytes that the store has not."""
    store = Store(tmp_path / "store")
    digest = store.put(picture((8, 8)))

    assert settling.stored_picture(digest, store) == digest
    with pytest.raises(PictureError):
        settling.check_fit(purchase("doubt"), b"a text", "mine.png", None)
    with pytest.raises(SystemFault):
        settling.file_of_picture(tmp_path)
    with pytest.raises(UsageError, match="the store holds no picture"):
        settling.stored_picture(WRONG, store)
    with pytest.raises(UsageError, match="`sha256:12` is not a digest"):
        settling.stored_picture("sha256:12", store)


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

    for name, message in {
        "pending": "it was bought",
        "kept": "it was bought",
        "delivered": "is delivered already",
        "voided": "is voided already",
    }.items():
        with pytest.raises(UsageError, match=message):
            settling.resubmit(purchase(name), store, NOW)


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


@pytest.mark.parametrize("owner", ["pending", "kept", "delivered"])
def test_the_task_of_another_order_is_not_adopted(journal: Journal, owner: str) -> None:
    """One picture cannot be two orders: nothing is written, and the order stays open."""
    before, doubt = journal.path.read_bytes(), purchase("doubt")
    stored: list[str] = []
    entry = settling.adopt_task(doubt, f"task-{owner}", PROVIDERS["bfl"], None, NOW)

    with pytest.raises(UsageError, match=f"`task-{owner}` is the task of order `{owner[:8]}`"):
        settling.record(journal, doubt, entry, lambda: stored.append("picture"))

    assert journal.path.read_bytes() == before
    assert stored == []


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

    with pytest.raises(Flux2BuildError, match=r"is pending by now|very moment") as error:
        settling.record(journal, doubt, settling.resubmit(doubt, store, NOW))

    assert isinstance(error.value, SystemFault if busy else UsageError)
    assert journal.read() == before
    if busy:
        os.close(claim)
