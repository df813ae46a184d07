"""A claim keeps others out, and tells of the order when the journal no longer does."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from flux2build.digest import of_bytes
from flux2build.errors import SystemFault
from flux2build.ledger.claims import Claim, Claims
from flux2build.ledger.journal import Journal
from tests import journals

SENT = journals.intended("a" * 32)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal that does not exist yet."""
    return Journal(tmp_path / "home" / "ledger.jsonl")


@pytest.fixture
def claims(journal: Journal) -> Claims:
    """Its claims."""
    return journal.claims


def taken(claims: Claims, *orders: str) -> None:
    """Take and leave a claim on each order."""
    for order in orders:
        claim = claims.take(of_bytes(order.encode()))
        assert claim is not None
        os.close(claim)


def test_one_at_a_time_holds_a_claim(claims: Claims) -> None:
    """No other process gets it until the file is closed; only the user may read the file."""
    claim = claims.take(SENT.order)

    assert claim is not None
    assert claims.take(SENT.order) is None
    os.close(claim)
    taken(claims, "other")
    claim = claims.take(SENT.order)
    assert claim is not None
    os.close(claim)
    path = claims.path(SENT.order)
    assert path.name == f"{SENT.order.removeprefix('sha256:')}.lock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform != "linux", reason="where open files are listed")
def test_a_claim_is_held_until_the_block_ends(claims: Claims) -> None:
    """Nobody else gets it in the meantime, and it is free again even after a failure."""
    with claims.held(SENT.order) as first, claims.held(SENT.order) as second:
        assert (first, second) == (True, False)
    with suppress(ZeroDivisionError), claims.held(SENT.order):
        raise ZeroDivisionError
    with claims.held(SENT.order) as again:
        assert again


def test_looking_at_a_held_claim_leaves_nothing_open(claims: Claims) -> None:
    """A build that waits for another one looks many times."""
    claim = claims.take(SENT.order)
    assert claim is not None
    before = sorted(Path("/proc/self/fd").iterdir())

    assert [claims.take(SENT.order) for _ in range(3)] == [None] * 3

    assert sorted(Path("/proc/self/fd").iterdir()) == before
    os.close(claim)


def test_a_claim_that_cannot_be_locked(claims: Claims) -> None:
    """The error names its file."""
    claims.path(SENT.order).mkdir(parents=True)

    with pytest.raises(SystemFault, match=rf"^cannot lock `{claims.path(SENT.order)}`: is a dir"):
        claims.take(SENT.order)


def test_a_claim_names_the_newest_attempt(journal: Journal, claims: Claims) -> None:
    """It does so once the journal has the attempt; a shorter name overwrites a longer one whole."""
    taken(claims, "a" * 32, "b")
    assert claims.attempt(SENT.order) == ""

    journal.append(journals.intended("a" * 32))
    journal.append(journals.ticketed(SENT))
    assert claims.attempt(SENT.order) == "a" * 32

    short = journals.intended("b")
    claims.path(short.order).write_text("longer")
    journal.append(short)
    assert claims.attempt(short.order) == "b"


def test_claims_that_cannot_be_read_or_named(journal: Journal, claims: Claims) -> None:
    """They name no attempt, and the journal is written all the same."""
    claims.path(SENT.order).mkdir(parents=True)

    journal.append(SENT)

    assert claims.attempt(SENT.order) == ""
    assert claims.attempt(of_bytes(b"never")) == ""
    claims.path(of_bytes(b"odd")).write_bytes(b"\xff")
    assert claims.attempt(of_bytes(b"odd")) == "\ufffd"


def test_what_all_claims_tell(journal: Journal, claims: Claims) -> None:
    """They name every order, sorted, with attempt and time; other files there are not claims."""
    assert list(claims) == []
    taken(claims, "fox", "owl", "elk", "a" * 32)
    journal.append(SENT)
    os.utime(claims.path(of_bytes(b"fox")), (1.5, 1.5))
    folder = claims.path(SENT.order).parent
    for name in ("notes.lock", "0" * 64, f"{'g' * 64}.lock", f"{'0' * 65}.lock"):
        folder.joinpath(name).touch()

    told = {claim.order: claim for claim in claims.read()}

    orders = [of_bytes(name) for name in (b"fox", b"owl", b"elk", b"a" * 32)]
    assert list(claims) == list(told) == sorted(orders)
    assert told[orders[0]] == Claim(orders[0], "", 1)
    assert told[SENT.order].attempt == SENT.attempt
    assert abs(told[SENT.order].written - time.time()) < 60


@pytest.mark.skipif(sys.platform != "linux", reason="looks its own files up in /proc")
def test_a_claim_ends_although_a_child_has_it_open(claims: Claims) -> None:
    """What was forked while an order was claimed, such as git, does not claim it any longer."""
    order = of_bytes(b"fox")
    with claims.held(order):
        inherited = [os.dup(file) for file in _open_at(claims.path(order))]
    assert inherited

    with claims.held(order) as again:
        assert again
    for file in inherited:
        os.close(file)


def _open_at(path: Path) -> Iterator[int]:
    """The open files of this process that are the one at a path."""
    here = path.stat()
    for name in [each.name for each in Path("/proc/self/fd").iterdir()]:
        with suppress(OSError):  # the listing itself is closed by now
            if os.path.samestat(os.fstat(int(name)), here):
                yield int(name)
