"""A store that lies: no wrong picture, no claim, and an error in words, within bounded time and memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from flux2build.errors import SystemFault
from flux2build.sharing.contract import Access, Unreachable, kind_of
from flux2build.sharing.keys import Space
from flux2build.sharing.team_store import TeamStore
from flux2build.storage.store import DamagedError
from tests.sharing.liars import LIES, lying, vanished
from tests.sharing.places import practice
from tests.sharing.test_team_store import CLAIM, OUTPUT, PICTURE, RECEIPT

PATIENCE: Final = 0.15


def server(base: str, _environment: pytest.MonkeyPatch) -> str:
    """The URL of a store at a server, with a password."""
    return base.replace("//", "//me:secret@") + "/team"


def bucket(base: str, environment: pytest.MonkeyPatch) -> str:
    """The URL of a bucket at a server, met with a secret of the environment."""
    for name, value in practice(base).items():
        environment.setenv(name, value)
    return "s3://bucket/team"


URLS: Final = {"http": server, "objects": bucket}


def store_at(url: str, patience: float = PATIENCE) -> TeamStore:
    """A client with little patience."""
    return TeamStore(kind_of(url).open(url, Access(patience=patience)), "the store")


@pytest.fixture(params=sorted(URLS))
def addressed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """The URL of a store at a server, of each kind."""
    url = URLS[request.param]
    return lambda base: url(base, monkeypatch)


def asked(store: TeamStore) -> Iterator[Callable[[], object]]:
    """Everything that a store may be asked, each of which needs an answer that can be trusted."""
    yield lambda: store.get(OUTPUT.sha256)
    yield lambda: store.receipt(CLAIM.order)
    yield lambda: store.claim(CLAIM.order)
    yield lambda: store.take(CLAIM)
    yield lambda: store.name_ticket(CLAIM)
    yield lambda: store.release(CLAIM.order, CLAIM.attempt)
    yield lambda: list(store.backend.list(f"{Space.CLAIMS}/"))


@pytest.mark.parametrize("lie", sorted(LIES))
def test_lies(lie: str, addressed: Callable[[str], str]) -> None:
    """No lie becomes a picture, a receipt or a claim; each is an error that keeps the password."""
    with lying(lie) as (base, _):
        store = store_at(addressed(base))
        for call in asked(store):
            began = time.monotonic()
            with pytest.raises((Unreachable, DamagedError)) as error:
                call()
            assert time.monotonic() - began < 10
            assert "secret" not in repr(error.value.problems)


BEGIN_WELL: Final = {"announced", "compressed", "empty", "slow-body", "truncated", "wrong"}
"""Lies whose status is that of something written; what follows it is of no interest then."""


@pytest.mark.parametrize("lie", sorted(LIES.keys() - BEGIN_WELL))
def test_writing_to_a_liar(lie: str, addressed: Callable[[str], str]) -> None:
    """What was not written is never taken for written."""
    with lying(lie) as (base, _):
        store = store_at(addressed(base))
        with pytest.raises(Unreachable):
            store.put(PICTURE)
        with pytest.raises(Unreachable):
            store.put_receipt(RECEIPT)


def test_vanished(addressed: Callable[[str], str]) -> None:
    """A server that is not there is told as such."""
    with vanished() as base:
        for call in asked(store_at(addressed(base))):
            with pytest.raises(Unreachable, match="cannot be used"):
                call()


def test_endless(addressed: Callable[[str], str]) -> None:
    """An answer without an end is read up to what a value may have."""
    with lying("endless") as (base, liar):
        with pytest.raises(SystemFault):
            store_at(addressed(base)).claim(CLAIM.order)

        assert liar.sent < 32 * 2**20


def test_tries(addressed: Callable[[str], str]) -> None:
    """What may be asked twice is tried again; a claim is removed once, as it may be another's by then."""
    counts = []
    for method in ("has", "delete"):
        with lying("hangs-up") as (base, liar):
            with pytest.raises(Unreachable):
                getattr(store_at(addressed(base), 8).backend, method)(f"claims/{'1' * 64}")
            counts.append(len(liar.threads))

    assert counts == [3, 1]
