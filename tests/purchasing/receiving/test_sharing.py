"""A picture that was filed is the team's, too, whoever has ordered it."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import pytest
from msgspec.structs import replace

from flux2build.ledger import State
from flux2build.purchasing.receiving.sharing import TeamShare
from flux2build.sharing.contract import Access, Backend, kind_of
from flux2build.sharing.team_store import TeamStore
from tests.paid_provider import FakeProvider
from tests.purchasing.receiving.test_filing import FOX, HOOKS, filed, hint, told
from tests.purchasing.test_teamwork import Machine


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    """A folder that machines share."""
    (tmp_path / "store").mkdir()
    url = (tmp_path / "store").as_uri()
    return kind_of(url).open(url, Access())


@pytest.fixture
def machines(tmp_path: Path, backend: Backend) -> list[Machine]:
    """One machine that orders and is gone, one that receives, and one that builds later."""
    provider = FakeProvider({"fox": "forgotten"})
    one, two, three = (
        Machine(tmp_path / name, provider, shared=TeamStore(backend, "file:///store"))
        for name in ("gone", "here", "later")
    )
    one.webhooks = HOOKS
    one.buy("fox")
    provider.fates = {}
    return [one, two, three]


def test_the_team_gets_what_another_machine_has_ordered(machines: list[Machine]) -> None:
    """Its claim is given back, and whoever builds next adopts the picture for nothing."""
    gone, here, later = machines
    assert here.shared.claim(FOX.digest) is not None

    (answer,) = filed(here, hint(gone), share=TeamShare(here.team))
    (bought,) = later.buy("fox")

    assert answer.status == HTTPStatus.OK
    assert (bought.shared, later.provider.posts) == (True, ["fox"])
    assert list(here.shared.claims()) == []


def test_the_team_gets_what_this_machine_has_ordered(machines: list[Machine]) -> None:
    """Then the claim that this machine holds is settled, as a later build would do it."""
    gone, _, later = machines

    filed(gone, hint(gone), share=TeamShare(gone.team))

    (bought,) = later.buy("fox")
    assert bought.shared
    assert not [*gone.team.held, *gone.shared.claims()]


def test_a_store_that_is_down_is_told_by_the_next_call(
    machines: list[Machine], tmp_path: Path
) -> None:
    """The picture is filed all the same, and the provider is asked to call again."""
    gone, here, later = machines
    (tmp_path / "store").rename(tmp_path / "away")

    (down,) = filed(here, hint(gone), share=TeamShare(here.team))
    (tmp_path / "away").rename(tmp_path / "store")
    (up,) = filed(here, hint(gone), share=TeamShare(here.team))

    assert [attempt.state for attempt in here.ledger.attempts] == [State.DELIVERED]
    assert (down.status, up.status) == (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.OK)
    assert any("not shared with the team" in line for line in here.said)
    assert later.buy("fox")[0].shared


def test_another_attempt_keeps_its_claim(machines: list[Machine]) -> None:
    """Only the claim of the attempt that was filed is given back."""
    gone, here, _ = machines
    (attempt,) = gone.ledger.attempts
    assert attempt.intended is not None
    other = replace(attempt.intended, attempt="b" * 32)

    filed(here, told(other), share=TeamShare(here.team))

    (claim,) = here.shared.claims()
    assert getattr(claim, "attempt", "") == attempt.name
