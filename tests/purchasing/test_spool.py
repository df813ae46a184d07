"""The spool gives back only what belongs to the ledger's own orders, and only bytes that are whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flux2build.digest import of_bytes
from flux2build.errors import SystemFault
from flux2build.ledger import Delivered, State, fold
from flux2build.ledger.journal import Journal
from flux2build.purchasing.spool import Spool, spool_of
from flux2build.storage.store import Store
from tests import journals

PICTURE = b"picture"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A ledger with one order under way."""
    journal = Journal(tmp_path / "home" / "ledger.jsonl")
    sent = journals.intended("fox")
    journal.append(sent)
    journal.append(journals.ticketed(sent))
    return journal


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that is still empty."""
    return Store(tmp_path / "home" / "store")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """The spool, with the picture of that order."""
    spool = Spool(tmp_path / "spool")
    spool.keep(PICTURE)
    spool.note(delivery("fox"))
    return spool


def delivery(attempt: str) -> Delivered:
    """The delivery of an order, as a build notes it."""
    return journals.delivered(journals.intended(attempt))


def state(journal: Journal) -> State:
    """How far the one order came."""
    return fold(journal.read()).attempts[0].state


def test_taken_in_once(spool: Spool, journal: Journal, store: Store) -> None:
    """Ledger and store have it, the spool is gone, and nothing is left to be taken."""
    assert spool.take_in(journal, store) == ("icon",)
    assert spool.take_in(journal, store) == ()

    assert state(journal) is State.DELIVERED
    assert store.get(of_bytes(PICTURE)) == PICTURE
    assert not spool.folder.exists()


def test_damaged_bytes_are_not_taken_in(spool: Spool, journal: Journal, store: Store) -> None:
    """The order stays as the ledger knows it, so that it is collected from the provider."""
    spool.path(of_bytes(PICTURE)).write_bytes(b"pickture")

    assert spool.take_in(journal, store) == ()

    assert state(journal) is State.PENDING
    assert list(store.digests()) == []


def test_orders_of_another_ledger_stay(spool: Spool, journal: Journal, store: Store) -> None:
    """They are not made known to this one, and not lost either."""
    spool.note(delivery("owl"))
    before = len(journal.read())

    assert spool.take_in(journal, store) == ("icon",)

    assert len(journal.read()) == before + 1
    assert spool.journal.about(delivery("owl").order)


def test_the_order_of_a_running_build_stays(spool: Spool, journal: Journal, store: Store) -> None:
    """Whoever holds the claim on an order is at it."""
    claim = journal.claims.take(delivery("fox").order)
    assert claim is not None

    assert spool.take_in(journal, store) == ()

    os.close(claim)
    assert spool.take_in(journal, store) == ("icon",)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707])
def test_a_folder_that_others_can_enter_is_not_trusted(
    spool: Spool, journal: Journal, store: Store, mode: int
) -> None:
    """The temporary folder is everybody's: nothing is taken from such a spool, and nothing put there."""
    spool.folder.chmod(mode)

    assert spool.take_in(journal, store) == ()
    with pytest.raises(SystemFault, match="open to others"):
        spool.keep(PICTURE)
    assert state(journal) is State.PENDING


def test_a_link_is_not_trusted(spool: Spool, journal: Journal, store: Store) -> None:
    """Somebody else may have put it there."""
    link = spool.folder.with_name("link")
    link.symlink_to(spool.folder)

    assert Spool(link).take_in(journal, store) == ()
    with pytest.raises(SystemFault, match="open to others"):
        Spool(link).keep(PICTURE)


def test_each_home_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies in the temporary folder that the user names, and is found there again."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    one, other = (spool_of(tmp_path / name).folder for name in ("one", "other"))

    assert one.parent == other.parent == tmp_path
    assert one != other
    assert spool_of(tmp_path / "one").folder == one
