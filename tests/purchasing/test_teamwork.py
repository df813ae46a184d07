"""Machines that share a store buy each order once, and collect what one of them leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from flux2build.errors import DecisionError, Exit, SystemFault
from flux2build.ledger import State
from flux2build.model import Bought, Output
from flux2build.purchasing import teamwork
from flux2build.purchasing.http import Client
from flux2build.purchasing.remote_renderer import RemoteRenderer
from flux2build.purchasing.safekeeping import Safekeeping
from flux2build.purchasing.settling import purchases, record, resubmit
from flux2build.purchasing.teamwork import Teamwork
from flux2build.sharing.contract import Access, Backend, Listed, Unreachable, kind_of
from flux2build.sharing.held_claims import HeldClaim, HeldClaims
from flux2build.sharing.records import SharedClaim, receipt_of
from flux2build.sharing.team_store import TeamStore
from tests.paid_provider import Buyer, FakeClock, FakeProvider, order, recipe

LONG_AGO: Final = "2026-01-01T00:00:00+00:00"
FOX: Final = order(recipe("fox"))


@dataclass
class Machine(Buyer):
    """A buyer whose orders are claimed in a store that several of them share."""

    shared: TeamStore = field(kw_only=True)
    clock: FakeClock = field(default_factory=FakeClock)
    _teams: list[Teamwork] = field(default_factory=list)

    @property
    def team(self) -> Teamwork:
        """What it does in the store, in one run."""
        held = HeldClaims(self.home / "team")
        return Teamwork(self.shared, held, self.journal, self.store, self.said.append, self.clock)

    def renderer(self, client: Client, keeping: Safekeeping | None = None) -> RemoteRenderer:
        """The renderer under test."""
        renderer = super().renderer(client, keeping)
        renderer.team = self.team
        self._teams.append(renderer.team)
        return renderer

    async def _buy(self, wanted: Sequence[Any], keeping: Safekeeping) -> list[Any]:
        bought = await super()._buy(wanted, keeping)
        await self._teams.pop().told()
        return bought


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    """A folder that machines share."""
    (tmp_path / "store").mkdir()
    url = (tmp_path / "store").as_uri()
    return kind_of(url).open(url, Access())


@pytest.fixture
def provider() -> FakeProvider:
    """The provider at which all of them order."""
    return FakeProvider()


@pytest.fixture
def machines(tmp_path: Path, backend: Backend, provider: FakeProvider) -> list[Machine]:
    """Two machines with one account."""
    return [
        Machine(tmp_path / name, provider, shared=TeamStore(backend, "file:///store"))
        for name in ("one", "other")
    ]


def left(machine: Machine, **facts: Any) -> SharedClaim:
    """A claim on the fox that a machine has taken and left behind."""
    intended = SharedClaim(
        order=FOX.digest,
        attempt="a" * 32,
        account=machine.account,
        provider="bfl",
        model=FOX.model,
        payload=FOX.digest,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    claim = replace(intended, **facts)
    assert machine.shared.take(claim)
    return claim


def test_bytes_and_receipt_are_shared(machines: list[Machine]) -> None:
    """What one machine has bought is in the store, its claim is released, and the other one adopts it."""
    one, other = machines
    (bought,) = one.buy("fox")

    (adopted,) = other.buy("fox")

    assert (adopted.digest, adopted.receipt, adopted.shared) == (
        bought.digest,
        bought.receipt,
        True,
    )
    assert other.store.get(bought.digest)
    assert one.provider.posts == ["fox"]
    assert not [*one.shared.claims(), *one.team.held, *other.ledger.attempts]
    assert other.budget.reserved == 0


def test_at_the_same_time(machines: list[Machine]) -> None:
    """Only one of the machines that want the same order at once buys it, and the others wait."""
    names = [f"fox{number}" for number in range(12)]
    wanted = [recipe(name) for name in names]

    async def both() -> list[list[Any]]:
        return await asyncio.gather(*(each._buy(wanted, each.keeping()) for each in machines))

    first, second = asyncio.run(both())

    assert sorted(machines[0].provider.posts) == sorted(names)
    assert [each.digest for each in first] == [each.digest for each in second]


def test_what_is_refused_is_released(machines: list[Machine], provider: FakeProvider) -> None:
    """A refusal proves that nothing was bought: the other machine may try at once."""
    one, other = machines
    provider.fates = {"fox": 422}
    one.buy("fox")
    provider.fates = {}

    (bought,) = other.buy("fox")

    assert isinstance(bought, Bought)
    assert not bought.shared


def test_what_is_in_doubt_stays_claimed(machines: list[Machine], provider: FakeProvider) -> None:
    """Nobody sends it again: the other machine asks its own person, and says how it is settled."""
    one, other = machines
    provider.fates = {"fox": "lost"}
    one.buy("fox")
    provider.fates = {}

    (error,) = other.buy("fox")

    (claim,) = other.shared.claims()
    assert isinstance(claim, SharedClaim)
    assert (type(error), error.exit) == (DecisionError, Exit.DECIDE)
    assert "may have bought `fox`" in str(error)
    assert f"orders resubmit {claim.attempt[:8]}" in str(error.problems[0].hint)
    assert provider.posts == ["fox"]
    assert sum("waiting for another machine" in text for text in other.said) == 1


def test_a_ticket_is_collected_by_whoever_comes(
    machines: list[Machine], provider: FakeProvider
) -> None:
    """When the machine that has ordered is silent, another one of its account collects the picture."""
    one, other = machines
    provider.fates = {"fox": "forgotten"}
    one.buy("fox")
    provider.fates = {}

    (bought,) = other.buy("fox")

    assert isinstance(bought, Bought)
    assert (provider.posts, len(other.clock.slept)) == (["fox"], teamwork._SILENCE)
    assert [each.state for each in other.ledger.attempts] == [State.DELIVERED]
    assert other.budget.spent == 0
    assert list(other.shared.claims()) == []
    (late,) = one.buy("fox")
    assert late.digest == bought.digest


def test_another_account_cannot_collect(machines: list[Machine], provider: FakeProvider) -> None:
    """It waits for the picture, and then asks; it buys nothing, and asks with no foreign ticket."""
    one, other = machines
    other.account = "another"
    provider.fates = {"fox": "forgotten"}
    one.buy("fox")
    asked = list(provider.asked)

    (error,) = other.buy("fox")

    assert isinstance(error, DecisionError)
    assert "with another key or provider" in str(error)
    assert (provider.posts, [*provider.asked]) == (["fox"], [*asked, "/"])


@pytest.mark.parametrize("task", ["", "task-1"])
def test_an_old_claim(machines: list[Machine], provider: FakeProvider, task: str) -> None:
    """One without a ticket is asked about at once, and one with a ticket collected at once."""
    one, other = machines
    if task:
        provider.fates = {"fox": "forgotten"}
        one.buy("fox")
        (taken,) = one.shared.claims()
        assert isinstance(taken, SharedClaim)
        one.shared.name_ticket(replace(taken, at=LONG_AGO))
        provider.fates = {}
    else:
        left(one, at=LONG_AGO)

    (outcome,) = other.buy("fox")

    assert isinstance(outcome, Bought if task else DecisionError)
    assert len(other.clock.slept) == 1


def test_forced_is_bought_again(machines: list[Machine]) -> None:
    """A receipt of the team does not keep a person from buying another picture."""
    one, other = machines
    (first,) = one.buy("fox")
    other.forced = frozenset({"fox"})

    (second,) = other.buy("fox")

    assert second.digest != first.digest
    assert one.provider.posts == ["fox", "fox"]
    assert list(one.shared.claims()) == []


def test_a_receipt_for_another_picture_than_ordered(
    machines: list[Machine], provider: FakeProvider
) -> None:
    """What does not fit the order is not adopted, whoever shared it; nothing is bought for it."""
    one, other = machines
    provider.fates = {"fox": "small"}
    one.buy("fox")
    (kept,) = one.ledger.kept.values()
    data = one.store.get(kept.output)
    one.shared.put(data)
    lie = receipt_of(FOX, Output("", kept.output, len(data), 64, 64, "png"), kept.receipt)
    one.shared.put_receipt(lie)

    (error,) = other.buy("fox")

    assert isinstance(error, DecisionError)
    assert "is not what was ordered" in str(error)
    assert provider.posts == ["fox"]


def test_a_receipt_whose_bytes_are_nowhere(machines: list[Machine], tmp_path: Path) -> None:
    """It was paid for: a person is asked where the bytes are, and nothing is bought."""
    one, other = machines
    one.buy("fox")
    for path in (tmp_path / "store" / "cas").iterdir():
        path.unlink()

    (error,) = other.buy("fox")

    assert isinstance(error, DecisionError)
    assert "was paid for already" in str(error)
    assert one.provider.posts == ["fox"]


def test_a_picture_that_is_lost_everywhere(machines: list[Machine], tmp_path: Path) -> None:
    """Once a person has given it up it is bought again, and the new receipt takes the place of the old."""
    one, other = machines
    (lost,) = one.buy("fox")
    for path in (tmp_path / "store" / "cas").iterdir():
        path.unlink()
    path = one.store.path(lost.digest)
    path.chmod(0o600)
    path.unlink()
    (purchase,) = purchases(one.journal.read())
    record(one.journal, purchase, resubmit(purchase, one.store, datetime.now(UTC)))

    (bought,) = one.buy("fox")

    assert isinstance(bought, Bought)
    assert bought.digest != lost.digest
    (adopted,) = other.buy("fox")
    assert (adopted.digest, adopted.shared) == (bought.digest, True)
    assert one.provider.posts == ["fox", "fox"]


class Failing:
    """A backend that cannot be reached from some call on."""

    keeps_bytes = True

    def __init__(self, backend: Backend, calls: int) -> None:
        self._backend, self.left = backend, calls

    def _call(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unreachable("the team's store does not answer")

    def get(self, key: str) -> bytes | None:
        """The value of a key."""
        self._call()
        return self._backend.get(key)

    def has(self, key: str) -> bool:
        """Whether there is one."""
        self._call()
        return self._backend.has(key)

    def put(self, key: str, data: bytes) -> None:
        """Write a value."""
        self._call()
        self._backend.put(key, data)

    def create(self, key: str, data: bytes) -> bool:
        """Write the first value."""
        self._call()
        return self._backend.create(key, data)

    def creates_once(self, key: str, one: bytes, other: bytes) -> bool:
        """Whether a key is created once."""
        self._call()
        return self._backend.creates_once(key, one, other)

    def delete(self, key: str) -> None:
        """Remove a value."""
        self._call()
        self._backend.delete(key)

    def sweep(self, before: float, *, remove: bool) -> int:
        """Remove what is unfinished."""
        self._call()
        return self._backend.sweep(before, remove=remove)

    def at_once(self) -> AbstractContextManager[None]:
        """While this is open, answers may be those of its beginning."""
        return self._backend.at_once()

    def list(self, prefix: str) -> Iterator[Listed]:
        """The keys."""
        self._call()
        return self._backend.list(prefix)


@pytest.mark.parametrize("calls", range(14))
def test_a_store_that_fails_at_any_moment(
    machines: list[Machine], backend: Backend, calls: int
) -> None:
    """Nothing is bought unclaimed; what was bought is here, and shared by the next run that can."""
    one, other = machines
    one.shared = TeamStore(Failing(backend, calls), "file:///store")

    (outcome,) = one.buy("fox")

    posts = list(one.provider.posts)
    assert isinstance(outcome, Bought) == bool(posts)
    assert posts or (isinstance(outcome, SystemFault) and "was not ordered" in str(outcome))
    one.shared = other.shared
    one.team.settle_all()
    assert not [*one.team.held, *other.shared.claims()]
    (again,) = other.buy("fox")
    assert isinstance(again, Bought)
    assert again.shared == bool(posts)
    assert one.provider.posts == ["fox"]


def test_alone(machines: list[Machine], backend: Backend) -> None:
    """A machine that may buy alone does so, prints it once, and shares it later."""
    one, other = machines
    one.shared = TeamStore(Failing(backend, 0), "file:///store", alone=True)

    bought = one.buy("fox", "owl")

    assert [each.shared for each in bought] == [False, False]
    assert sum("buying without the team" in text for text in one.said) == 1
    one.shared = other.shared
    one.team.settle_all()
    assert all(each.shared for each in other.buy("fox", "owl"))


def test_a_claim_that_was_never_written_down(machines: list[Machine]) -> None:
    """A crash between claim and ledger has sent nothing: its own machine gives the claim back."""
    one, other = machines
    one.team.held.note(HeldClaim.of(FOX, left(one).attempt))

    one.team.settle_all()

    assert list(one.shared.claims()) == []
    (bought,) = other.buy("fox")
    assert isinstance(bought, Bought)
