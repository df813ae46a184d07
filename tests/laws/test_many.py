"""Many builds at once, in one tree and in several: each order is bought once, and nobody waits for ever."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from flux2build.errors import Exit
from tests.laws.conftest import MakeSandbox
from tests.laws.interception import Cut
from tests.laws.situations import HEAD
from tests.laws.trials import Sandbox, Situation

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
PROCESSES: Final = 20 if DEEP else 6
ASSETS: Final = 20 if DEEP else 10
BUILD: Final = ("build", "--yes")

_ASSETS: Final = "".join(f'[asset.a{n}]\nprompt = "animal {n}"\n' for n in range(ASSETS))
_SLOW: Final = {"stage": "submit", "fault": "hang", "seconds": 0.1}
"""Answers take a while, so that builds meet between an order and its ticket."""

MANY: Final = Situation("many", HEAD + _ASSETS, words=BUILD, orders=ASSETS)


def bought(sandbox: Sandbox) -> Counter[str]:
    """How often each order was charged."""
    return Counter(sandbox.server.bill().values())


def test_many_builds_of_one_tree(make_sandbox: MakeSandbox) -> None:
    """They take turns: the first one buys, the others find all done; each ends well."""
    sandbox = make_sandbox(MANY)
    start = sandbox.fork_server.start
    children = [start(BUILD, sandbox.tree, sandbox.environment) for _ in range(PROCESSES)]
    outcome = [child.end() for child in children]

    assert [(each.code, each.hung) for each in outcome] == [(Exit.DONE, False)] * PROCESSES
    assert bought(sandbox) == Counter(dict.fromkeys(bought(sandbox), 1))
    assert len(bought(sandbox)) == ASSETS
    assert sandbox.run(("check",)).code == Exit.DONE


def trees(sandbox: Sandbox, count: int) -> list[Path]:
    """The same project in several places, with one home."""
    places = [sandbox.folder / f"tree{number}" for number in range(count)]
    for place in places:
        shutil.copytree(sandbox.tree, place)
    return places


def storm(sandbox: Sandbox, places: list[Path], mutant: str | None = None) -> list[int]:
    """Build in all trees at once; the exit codes."""
    start = sandbox.fork_server.start
    children = [
        start(BUILD, place, sandbox.environment, mutant=mutant)
        for place in places
        for _ in range(max(1, PROCESSES // (2 * len(places))))
    ]
    outcome = [child.end() for child in children]
    assert not any(each.hung for each in outcome)
    return [each.code for each in outcome]


def test_several_trees_share_what_they_buy(make_sandbox: MakeSandbox) -> None:
    """Trees of one user order the same pictures at the same time: they are paid for once."""
    sandbox = make_sandbox(MANY)
    sandbox.server.set(rules=[_SLOW])
    places = trees(sandbox, 3 if DEEP else 2)

    codes = storm(sandbox, places)

    assert set(codes) == {Exit.DONE}
    assert bought(sandbox) == Counter(dict.fromkeys(bought(sandbox), 1))
    assert len(bought(sandbox)) == ASSETS
    pictures = [
        {path.name: path.read_bytes() for path in place.joinpath("img").iterdir()}
        for place in places
    ]
    assert len(pictures[0]) == ASSETS
    assert all(each == pictures[0] for each in pictures)


def test_an_order_that_is_being_sent_is_no_doubt(make_sandbox: MakeSandbox) -> None:
    """A build that starts while another one waits for its answer waits for that, and asks nobody."""
    sandbox = make_sandbox(MANY)
    sandbox.server.set(rules=[{**_SLOW, "seconds": 1}])
    here, other = trees(sandbox, 2)
    first = sandbox.fork_server.start(BUILD, here, sandbox.environment)
    while not sandbox.ledger().doubts:
        pass

    second = sandbox.fork_server.start(BUILD, other, sandbox.environment).end()

    assert (first.end().code, second.code) == (Exit.DONE, Exit.DONE), second.err
    assert bought(sandbox) == Counter(dict.fromkeys(bought(sandbox), 1))


def test_without_claims_they_would_pay_twice(make_sandbox: MakeSandbox) -> None:
    """With a mutant: builds that keep nobody out buy the same picture for each tree."""
    sandbox = make_sandbox(MANY)
    sandbox.server.set(rules=[_SLOW])

    storm(sandbox, trees(sandbox, 2), "nobody kept out")

    assert max(bought(sandbox).values()) > 1


@pytest.mark.parametrize("salt", range(20 if DEEP else 1))
def test_a_storm_of_kills(make_sandbox: MakeSandbox, salt: int) -> None:
    """Many builds in two trees, each killed somewhere: nothing is bought twice unseen."""
    sandbox, chance = make_sandbox(MANY), random.Random(salt)
    sandbox.server.set(rules=[_SLOW])
    places = trees(sandbox, 2)
    children = [
        sandbox.fork_server.start(BUILD, place, sandbox.environment, Cut(chance.randrange(20, 300)))
        for place in places * (PROCESSES // 2)
    ]
    outcome = [child.end() for child in children]

    assert {each.code for each in outcome} <= {Exit.DONE, Exit.DECIDE, -9}
    assert not any(each.hung for each in outcome)
    assert max(bought(sandbox).values(), default=1) == 1
    codes = {
        sandbox.fork_server.start(BUILD, place, sandbox.environment).end().code for place in places
    }
    doubts = sandbox.ledger().doubts
    assert codes == {Exit.DECIDE if doubts else Exit.DONE}
    assert max(bought(sandbox).values()) == 1
    for attempt in doubts.values():
        assert sandbox.run(("orders", "resubmit", attempt.attempt)).code == Exit.DONE
    for place in places:
        assert sandbox.fork_server.start(BUILD, place, sandbox.environment).end().code == Exit.DONE
    assert bought(sandbox).total() <= ASSETS + len(doubts)
