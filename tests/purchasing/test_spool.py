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


def test_a_home_has_one_spool(tmp_path: Path) -> None:
    """What was kept for a home is found under each of its names."""
    home, link = tmp_path / "home", tmp_path / "link"
    home.mkdir()
    link.symlink_to(home)

    assert spool_of(link) == spool_of(home) != spool_of(tmp_path)


def test_damaged_bytes_are_not_taken_in(spool: Spool, journal: Journal, store: Store) -> None:
    """The order stays as the ledger knows it, so that it is collected from the provider."""
    spool.path(of_bytes(PICTURE)).write_bytes(b"pickture")

    assert spool.take_in(journal, store) == ()

    assert state(journal) is State.PENDING
    assert list(store.digests()) == []


def test_orders_of_another_ledger_stay(spool: Spool, journal: Journal, store: Store) -> None:
    """They are neither added to this ledger nor lost."""
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


def test_everything_the_ledger_missed_is_told_once(
    journal: Journal, store: Store, spool: Spool
) -> None:
    """Entries come in the order in which they happened; those that the ledger has are left out."""
    sent = journals.intended("fox")
    spool.note(journals.ticketed(sent))
    spool.note(journals.voided(sent, charged=True))
    spool.note(journals.kept(sent, of_bytes(PICTURE)))
    before = journal.read()

    assert spool.take_in(journal, store) == ("icon",)

    added = journal.read()[len(before) :]
    assert added == [
        journals.kept(sent, of_bytes(PICTURE)),
        journals.delivered(sent),
        journals.voided(sent, charged=True),
    ]


def test_a_picture_that_is_in_the_store_needs_no_bytes_here(
    spool: Spool, journal: Journal, store: Store
) -> None:
    """It may have been put there in the meantime."""
    store.put(PICTURE)
    spool.path(of_bytes(PICTURE)).unlink()

    assert spool.take_in(journal, store) == ("icon",)
    assert state(journal) is State.DELIVERED
    assert not spool.folder.exists()


def test_what_others_left_in_the_spool_stays(spool: Spool, journal: Journal, store: Store) -> None:
    """Only the files of orders that were taken in are removed; a damaged note stays."""
    spool.folder.joinpath("other").touch()
    assert spool.take_in(journal, store) == ("icon",)
    assert [path.name for path in spool.folder.iterdir()] == ["other"]
    spool.keep(PICTURE)
    spool.note(journals.ticketed(journals.intended("fox")))
    with spool.journal.path.open("ab") as file:
        file.write(b"noise\n")

    assert spool.take_in(journal, store) == ("icon",)

    assert spool.path(of_bytes(PICTURE)).exists()
    assert spool.journal.path.exists()


def test_assets_are_named_once(spool: Spool, journal: Journal, store: Store) -> None:
    """Each asset is named once, in the order of the notes, even if it has several orders."""
    for attempt, asset in (("owl", "b"), ("elk", "a"), ("ant", "b")):
        sent = journals.intended(attempt, asset=asset)
        journal.append(sent)
        spool.note(journals.ticketed(sent))

    assert spool.take_in(journal, store) == ("icon", "b", "a")


def test_the_spool_is_the_users_alone(tmp_path: Path) -> None:
    """Its folder and its files are private; errors name its path."""
    spool = Spool(tmp_path / "spool")

    path = spool.keep(PICTURE)

    assert path == spool.folder / of_bytes(PICTURE).removeprefix("sha256:")
    assert path.stat().st_mode & 0o777 == 0o600
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    assert spool.journal.path == spool.folder / "ledger.jsonl"
    file = Spool(path)
    with pytest.raises(SystemFault, match=rf"^cannot write to `{path}`: "):
        file.note(delivery("fox"))
    spool.folder.chmod(0o711)
    with pytest.raises(
        SystemFault, match=rf"^`{spool.folder}` is open to others; nothing is kept there$"
    ):
        spool.keep(PICTURE)


def test_a_spool_that_cannot_be_locked(spool: Spool, journal: Journal, store: Store) -> None:
    """The error names it."""
    spool.journal.lock_path.unlink()
    spool.journal.lock_path.mkdir()

    with pytest.raises(SystemFault, match=rf"^cannot lock `{spool.folder}`: is a directory$"):
        spool.take_in(journal, store)


def test_where_the_spool_of_a_home_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user and the beginning of the home's digest name it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    digest = of_bytes(b"/home/fox").removeprefix("sha256:")

    assert spool_of(Path("/home/fox")).folder == (
        tmp_path / f"flux2build-{os.getuid()}-{digest[:12]}"
    )
