"""Nothing is bought that could not be kept; what is paid for is kept somewhere, and found again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest

from flux2build.digest import Json, of_bytes
from flux2build.errors import DecisionError, IncompleteError, SystemFault
from flux2build.ledger import State
from flux2build.model import Bought
from flux2build.purchasing.safekeeping import Stored, expected_bytes
from tests import journals
from tests.paid_provider import Buyer, FakeProvider

FORTY: Final = tuple(f"fox {number}" for number in range(40))


class Breaking(FakeProvider):
    """A provider at whose first answer to a kind of request something breaks on our side."""

    def __init__(self, at: str, breaks: Callable[[], object], **fates: str | int) -> None:
        super().__init__(fates)
        self._at, self._breaks = at, breaks
        self._broken = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Break it once, then answer."""
        if not self._broken and self._at in (request.method, request.url.path):
            self._broken = True
            self._breaks()
        return super().__call__(request)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory, beside a project."""
    home = tmp_path / "home"
    (home / "store").mkdir(parents=True)
    tmp_path.joinpath("tree/img").mkdir(parents=True)
    return home


def break_store(home: Path) -> None:
    """Let a file stand where the store should be."""
    shutil.rmtree(home / "store")
    home.joinpath("store").touch()


def break_ledger(home: Path) -> None:
    """Let the ledger be one that cannot be locked."""
    home.joinpath("ledger.jsonl.lock").unlink()
    home.joinpath("ledger.jsonl.lock").mkdir()


def mend(home: Path) -> None:
    """Undo what was broken."""
    if home.joinpath("store").is_file():
        home.joinpath("store").unlink()
    if home.joinpath("ledger.jsonl.lock").is_dir():
        home.joinpath("ledger.jsonl.lock").rmdir()


def everything(folder: Path) -> set[Path]:
    """All that lies below a folder."""
    return set(folder.rglob("*"))


@pytest.mark.parametrize(
    ("place", "folder"),
    [
        ("home/store/sha256", False),
        ("home/ledger.jsonl", True),
        ("home/ledger.jsonl.lock", True),
        ("tree/assets.lock", True),
        ("tree/img/fox.png", True),
        ("tree/img", False),
    ],
)
def test_nothing_is_ordered_that_could_not_be_kept(home: Path, place: str, *, folder: bool) -> None:
    """None of forty orders is sent; each error names the path, and nothing is left behind."""
    path = home.parent / place
    if path.is_dir():
        path.rmdir()
    path.mkdir() if folder else path.touch()
    before = everything(home.parent)
    buyer = Buyer(home, FakeProvider())

    outcomes = buyer.buy(*FORTY)

    assert all(isinstance(each, SystemFault) for each in outcomes)
    assert all(str(path) in str(each) for each in outcomes), outcomes[0]
    assert (buyer.provider.posts, buyer.provider.asked) == ([], [])
    assert {p for p in everything(home.parent) - before if "claims" not in p.parts} <= {
        home / "claims"
    }


def test_nothing_is_ordered_without_room(home: Path) -> None:
    """The pictures of all orders of the run must fit together."""
    buyer = Buyer(home, FakeProvider(), expected=2**70)

    outcomes = buyer.buy("fox", "owl")

    assert all("MiB left" in str(each) for each in outcomes)
    assert buyer.provider.posts == []


def test_room_goes_by_pixels_and_format() -> None:
    """A picture that keeps every detail has up to three bytes a pixel; an unknown size is a megapixel."""
    jpeg: dict[str, Json] = {"width": 1024, "height": 512, "format": "jpeg"}

    assert expected_bytes([jpeg, {"width": 10, "height": 10}, {}]) == 2**19 + 300 + 3 * 2**20


def test_a_picture_that_cannot_be_stored_is_spooled(home: Path) -> None:
    """Its error has path and digest, nothing more is ordered, and the next run has it for nothing.

    Another order may be pending already while it cannot be kept.
    """
    provider = Breaking("/v1/get_result", lambda: break_store(home))
    buyer = Buyer(home, provider, in_flight=1)

    fox, owl, *others = buyer.buy("fox", "owl", "elk", "cat")

    rows = dict(fox.problems[0].rows)
    assert of_bytes(Path(rows["file"]).read_bytes()) == rows["digest"]
    assert f"orders adopt {buyer.ledger.attempts[0].name[:8]} {rows['file']}" in str(
        fox.problems[0].hint
    )
    assert [str(each).partition(":")[0] for each in others] == [
        "`elk` was not ordered",
        "`cat` was not ordered",
    ]
    sent = list(provider.posts)
    assert sent in (["fox"], ["fox", "owl"])
    assert ("is paid for and kept" if "owl" in sent else "was not ordered") in str(owl)
    mend(home)
    assert set(buyer.spool.take_in(buyer.journal, buyer.store)) == set(sent)
    asked = len(provider.asked)
    bought, *_ = Buyer(home, provider).buy(*sent)
    assert isinstance(bought, Bought)
    assert bought.digest == rows["digest"]
    assert (provider.posts, len(provider.asked)) == (sent, asked)
    assert not buyer.spool.folder.exists()


def test_a_ledger_that_fails_after_the_order_loses_nothing(home: Path) -> None:
    """Ticket and delivery are spooled, and the picture is collected all the same."""
    provider = Breaking("POST", lambda: break_ledger(home))
    buyer = Buyer(home, provider, in_flight=1)

    fox, owl = buyer.buy("fox", "owl")

    assert isinstance(fox, SystemFault)
    assert isinstance(owl, SystemFault)
    assert provider.posts == ["fox"]
    assert buyer.ledger.attempts[0].state is State.DOUBT
    mend(home)
    assert buyer.spool.take_in(buyer.journal, buyer.store) == ("fox",)
    attempt = buyer.ledger.attempts[0]
    assert attempt.state is State.DELIVERED
    assert attempt.ticketed is not None


def test_a_refusal_that_the_ledger_missed_is_no_doubt(home: Path) -> None:
    """It is spooled like everything that happened to an order."""
    buyer = Buyer(home, Breaking("POST", lambda: break_ledger(home), fox=400))

    (fox,) = buyer.buy("fox")

    assert isinstance(fox, IncompleteError)
    mend(home)
    buyer.spool.take_in(buyer.journal, buyer.store)
    assert buyer.ledger.attempts[0].state is State.VOIDED


def test_something_else_is_spooled_for_a_person(home: Path) -> None:
    """What arrives and is not what was ordered is kept aside, in the spool as in the store."""
    buyer = Buyer(home, Breaking("/v1/get_result", lambda: break_store(home), fox="small"))

    (fox,) = buyer.buy("fox")

    assert isinstance(fox, DecisionError)
    mend(home)
    buyer.spool.take_in(buyer.journal, buyer.store)
    attempt = buyer.ledger.attempts[0]
    assert attempt.state is State.KEPT
    assert attempt.kept is not None
    assert buyer.store.get(attempt.kept.output)


def test_where_nothing_can_be_written_the_ticket_stays(home: Path) -> None:
    """The error says so and names the task; the next run asks the provider again."""
    provider = Breaking("/v1/get_result", lambda: break_store(home))
    buyer = Buyer(home, provider)
    buyer.spool.folder.touch()

    (fox,) = buyer.buy("fox")

    assert "could not be kept" in str(fox)
    assert str(home / "store") in str(fox)
    assert dict(fox.problems[0].rows) == {"task": "task-1"}
    mend(home)
    (bought,) = Buyer(home, provider).buy("fox")
    assert isinstance(bought, Bought)
    assert provider.posts == ["fox"]


def test_a_write_that_failed_is_proved_before_the_next_order(home: Path) -> None:
    """What broke in the middle of a run stops the orders after it."""
    buyer = Buyer(home, FakeProvider(), in_flight=1)
    keeping = buyer.keeping()

    buyer.buy("fox", keeping=keeping)
    break_store(home)
    keeping.doubt()
    (owl,) = buyer.buy("owl", keeping=keeping)

    assert isinstance(owl, SystemFault)
    assert buyer.provider.posts == ["fox"]


ENTRY: Final = journals.intended("fox")


def test_what_is_noted_and_said(home: Path) -> None:
    """If the ledger fails, the spool gets the entry, the user is told, and no order follows."""
    buyer = Buyer(home, FakeProvider())
    keeping = buyer.keeping()
    asyncio.run(keeping.prove())
    assert asyncio.run(keeping.note(ENTRY)) is None
    assert asyncio.run(keeping.note(ENTRY, spooled=True)) is None
    assert (buyer.journal.read(), buyer.spool.journal.read()) == ([ENTRY], [ENTRY])
    assert buyer.said == []
    break_ledger(home)

    fault = asyncio.run(keeping.note(ENTRY))

    assert fault is not None
    assert buyer.said == [f"warning: {fault}; `{buyer.spool.folder}` tells the next build of it"]
    assert buyer.spool.journal.read() == [ENTRY, ENTRY]
    assert buyer.journal.read() == [ENTRY]
    mend(home)
    with pytest.raises(SystemFault) as caught:
        asyncio.run(keeping.prove())
    assert caught.value is fault


def test_where_not_even_the_spool_can_be_written(home: Path) -> None:
    """Both faults are reported; the first one counts."""
    buyer = Buyer(home, FakeProvider())
    keeping = buyer.keeping()
    asyncio.run(keeping.note(ENTRY))
    buyer.spool.folder.touch()
    break_ledger(home)
    break_store(home)

    fault = asyncio.run(keeping.note(ENTRY))
    spooled = asyncio.run(keeping.note(ENTRY, spooled=True))
    with pytest.raises(SystemFault) as caught:
        asyncio.run(keeping.put(b"picture"))

    assert str(home / "ledger.jsonl") in str(fault)
    assert str(buyer.spool.folder) in str(spooled)
    assert buyer.said == [f"warning: {fault}; {spooled}", f"warning: {spooled}"]
    assert [str(buyer.spool.folder) in each.message for each in caught.value.problems] == [
        False,
        True,
    ]
    assert str(home / "store") in caught.value.problems[0].message


def test_where_a_picture_is(home: Path) -> None:
    """It is in the store; if that fails, in the spool, with the reason, and no order follows."""
    buyer = Buyer(home, FakeProvider())
    keeping, digest = buyer.keeping(), of_bytes(b"picture")

    assert asyncio.run(keeping.put(b"picture")) == Stored(digest, buyer.store.path(digest))
    break_store(home)
    stored = asyncio.run(keeping.put(b"picture"))

    assert (stored.digest, stored.path) == (digest, buyer.spool.path(digest))
    assert stored.path.read_bytes() == b"picture"
    with pytest.raises(SystemFault) as caught:
        asyncio.run(keeping.prove())
    assert caught.value is stored.fault


def test_what_holds_is_proved_once(home: Path) -> None:
    """It is proved again after a failed write; a proof that fails stops further orders for good."""
    keeping = Buyer(home, FakeProvider()).keeping()
    asyncio.run(keeping.prove())
    break_store(home)
    asyncio.run(keeping.prove())
    keeping.doubt()

    for _ in range(2):
        with pytest.raises(SystemFault):
            asyncio.run(keeping.prove())
        mend(home)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"width": 2, "height": 3}, 18),
        ({"width": 2, "height": 3, "format": "webp"}, 6),
        ({"width": 2, "height": 3, "format": "jpeg"}, 6),
        ({"width": 2, "height": 3, "format": "png"}, 18),
        ({"width": 2}, 3 * 2**20),
        ({"height": 2, "format": "jpeg"}, 2**20),
        ({"width": "2", "height": 3}, 3 * 2**20),
    ],
)
def test_the_bytes_of_one_order(params: dict[str, Json], expected: int) -> None:
    """Both sides have to be known."""
    assert expected_bytes([params]) == expected
    assert expected_bytes([params, params]) == 2 * expected
