"""A team pays once: many machines at once, and the one that has ordered killed anywhere."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from flux2build.errors import Exit
from tests.laws.interception import Cut, Effect
from tests.laws.processes import ForkServer, Outcome
from tests.laws.situations import HEAD
from tests.laws.team import Team
from tests.laws.trials import Server, cuts
from tests.sharing.places import PLACES

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
TRIALS: Final = 500
ASSETS: Final = 20 if DEEP else 4
PROCESSES: Final = 20 if DEEP else 2
_SLOW: Final = {"stage": "submit", "fault": "hang", "seconds": 0.1}
_TWO: Final = f'{HEAD}[asset.fox]\nprompt = "a fox"\n[asset.owl]\nprompt = "an owl"\n'
_MANY: Final = HEAD + "".join(f'[asset.a{n}]\nprompt = "animal {n}"\n' for n in range(ASSETS))


@pytest.fixture
def folder(scratch: Path) -> Path:
    """A folder for the machines."""
    return Path(tempfile.mkdtemp(dir=scratch))


@pytest.fixture
def team(folder: Path, fork_server: ForkServer, server: Server) -> Team:
    """A team that shares a folder."""
    server.reset()
    store = folder / "shared" / "store"
    store.mkdir(parents=True)
    return Team(_TWO, fork_server, server, folder, store.as_uri())


def begun(team: Team) -> None:
    """Begin anew, with an empty store."""
    team.forget()
    team.folder.joinpath("shared", "store").mkdir(parents=True)


def age(team: Team) -> None:
    """Let the claims be from long ago, so that nobody has to wait for the machine that took them."""
    for path in team.folder.glob("shared/store/claims/[0-9a-f]*"):
        claim = json.loads(path.read_bytes())
        if "at" in claim:
            path.write_text(json.dumps({**claim, "at": "2026-01-01T00:00:00+00:00"}))


def stages(whole: Outcome) -> list[Cut]:
    """A cut right after the first effect of each stage of the first purchase."""
    first: dict[str, int] = {}
    for number, effect in enumerate(whole.trace, 1):
        first.setdefault(_stage(effect), number)
    first.pop("", None)
    return [Cut(number + 1) for number in first.values()]


def _stage(effect: Effect) -> str:
    for name, where, what in (
        ("noted", "/home/team/", b""),
        ("claimed", "/store/claims/", b'"task":""'),
        ("intended", "ledger.jsonl", b"intended"),
        ("sent", "", b"POST "),
        ("ticketed", "ledger.jsonl", b"ticketed"),
        ("named", "/store/claims/", b'"task":"'),
        ("kept", "/home/store/", b""),
        ("delivered", "ledger.jsonl", b"delivered"),
        ("shared", "/store/cas/", b""),
        ("receipted", "/store/orders/", b""),
        ("locked", "assets.lock", b""),
    ):
        if where in effect.path and what in effect.data:
            return name
    return ""


def test_killed_at_every_stage(team: Team) -> None:
    """Wherever the one that buys is killed, the other one collects, waits or asks; nobody pays twice."""
    whole = team.run("one")
    assert whole.code == Exit.DONE, whole.err
    every = cuts(whole)
    chosen = [every[n * len(every) // TRIALS] for n in range(TRIALS)] if DEEP else stages(whole)
    complaints, killed = list[str](), 0
    for number, cut in enumerate(chosen):
        begun(team)
        killed += team.run("one", cut=cut).killed
        if number % 10:
            age(team)
        complaints += [f"{cut}: {each}" for each in team.complaints("other", "one")]

    print(f"{killed} killed, {team.asked} asked, {len(complaints)} complaints")  # noqa: T201 - with `-s`
    assert complaints == []
    assert killed >= min(len(chosen), 11) > team.asked > 0 or DEEP


@pytest.mark.parametrize("kind", sorted(PLACES))
def test_two_homes_buy_once(
    kind: str, folder: Path, fork_server: ForkServer, server: Server
) -> None:
    """Many builds of two machines at once, at one account: charges are the distinct orders.

    Where the store keeps no bytes, whoever comes late knows that all is paid for, and asks for them.
    """
    folder.joinpath("place").mkdir()
    server.reset(rules=[_SLOW])
    with PLACES[kind](folder / "place") as place:
        origin = folder / "place" / "bare" if kind == "git" else None
        team = Team(_MANY, fork_server, server, folder, place.url, place.environment, origin)
        names = [f"{home}.{n}" for n in range(PROCESSES) for home in ("one", "other")]
        children = [team.start(name, ("build", "--yes")) for name in names]
        outcome = [child.end() for child in children]

    assert team.bought() == Counter(dict.fromkeys(team.bought(), 1))
    assert len(team.bought()) == ASSETS
    assert not [each for each in outcome if each.hung or "Traceback" in each.err]
    codes = {each.code for each in outcome}
    assert codes == {Exit.DONE} or (kind == "git" and codes <= {Exit.DONE, Exit.DECIDE}), [
        each.err for each in outcome if each.code
    ]
    assert all("was paid for already" in each.err for each in outcome if each.code)


def test_without_claims_they_would_pay_twice(
    folder: Path, fork_server: ForkServer, server: Server
) -> None:
    """Two homes without a store know nothing of each other, which is what the law above is about."""
    server.reset(rules=[_SLOW])
    team = Team(_MANY, fork_server, server, folder, "")
    children = [team.start(name, ("build", "--yes")) for name in ("one", "other")]

    assert {child.end().code for child in children} == {Exit.DONE}
    assert set(team.bought().values()) == {2}
