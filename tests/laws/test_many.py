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
from tests.laws.conftest import Staging
from tests.laws.crash import Play, Scene
from tests.laws.doors import Cut

DEEP: Final = bool(os.environ.get("FLUX2BUILD_DEEP"))
PROCESSES: Final = 20 if DEEP else 6
ASSETS: Final = 20 if DEEP else 10
BUILD: Final = ("build", "--yes")

_HEAD: Final = """\
[project]
output = "img"
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 64
height = 64
"""
_ASSETS: Final = "".join(f'[asset.a{n}]\nprompt = "animal {n}"\n' for n in range(ASSETS))
_SLOW: Final = {"stage": "submit", "fault": "hang", "seconds": 0.1}
"""Answers take a while, so that builds meet between an order and its ticket."""

MANY: Final = Scene("many", _HEAD + _ASSETS, words=BUILD, orders=ASSETS)


def bought(play: Play) -> Counter[str]:
    """How often each order was charged."""
    return Counter(play.server.bill().values())


def test_many_builds_of_one_tree(stage: Staging) -> None:
    """They take turns: the first one buys, the others find all done; each ends well."""
    play = stage(MANY)
    start = play.nursery.start
    children = [start(BUILD, play.tree, play.environment) for _ in range(PROCESSES)]
    ended = [child.end() for child in children]

    assert [(each.code, each.hung) for each in ended] == [(Exit.DONE, False)] * PROCESSES
    assert bought(play) == Counter(dict.fromkeys(bought(play), 1))
    assert len(bought(play)) == ASSETS
    assert play.run(("check",)).code == Exit.DONE


def trees(play: Play, count: int) -> list[Path]:
    """The same project in several places, with one home."""
    places = [play.folder / f"tree{number}" for number in range(count)]
    for place in places:
        shutil.copytree(play.tree, place)
    return places


def storm(play: Play, places: list[Path], control: str | None = None) -> list[int]:
    """Build in all trees at once; the exit codes."""
    start = play.nursery.start
    children = [
        start(BUILD, place, play.environment, control=control)
        for place in places
        for _ in range(max(1, PROCESSES // (2 * len(places))))
    ]
    ended = [child.end() for child in children]
    assert not any(each.hung for each in ended)
    return [each.code for each in ended]


def test_several_trees_share_what_they_buy(stage: Staging) -> None:
    """Trees of one user order the same pictures at the same time: they are paid for once."""
    play = stage(MANY)
    play.server.set(rules=[_SLOW])
    places = trees(play, 3 if DEEP else 2)

    codes = storm(play, places)

    assert set(codes) == {Exit.DONE}
    assert bought(play) == Counter(dict.fromkeys(bought(play), 1))
    assert len(bought(play)) == ASSETS
    pictures = [
        {path.name: path.read_bytes() for path in place.joinpath("img").iterdir()}
        for place in places
    ]
    assert len(pictures[0]) == ASSETS
    assert all(each == pictures[0] for each in pictures)


def test_an_order_that_is_being_sent_is_no_doubt(stage: Staging) -> None:
    """A build that starts while another one waits for its answer waits for that, and asks nobody."""
    play = stage(MANY)
    play.server.set(rules=[{**_SLOW, "seconds": 1}])
    here, there = trees(play, 2)
    first = play.nursery.start(BUILD, here, play.environment)
    while not play.ledger().doubts:
        pass

    second = play.nursery.start(BUILD, there, play.environment).end()

    assert (first.end().code, second.code) == (Exit.DONE, Exit.DONE), second.err
    assert bought(play) == Counter(dict.fromkeys(bought(play), 1))


def test_without_claims_they_would_pay_twice(stage: Staging) -> None:
    """The control: builds that keep nobody out buy the same picture for each tree."""
    play = stage(MANY)
    play.server.set(rules=[_SLOW])

    storm(play, trees(play, 2), "nobody kept out")

    assert max(bought(play).values()) > 1


@pytest.mark.parametrize("salt", range(20 if DEEP else 1))
def test_a_storm_of_kills(stage: Staging, salt: int) -> None:
    """Many builds in two trees, each killed somewhere: nothing is bought twice unseen."""
    play, chance = stage(MANY), random.Random(salt)
    play.server.set(rules=[_SLOW])
    places = trees(play, 2)
    children = [
        play.nursery.start(BUILD, place, play.environment, Cut(chance.randrange(20, 300)))
        for place in places * (PROCESSES // 2)
    ]
    ended = [child.end() for child in children]

    assert {each.code for each in ended} <= {Exit.DONE, Exit.DECIDE, -9}
    assert not any(each.hung for each in ended)
    assert max(bought(play).values(), default=1) == 1
    codes = {play.nursery.start(BUILD, place, play.environment).end().code for place in places}
    doubts = play.ledger().doubts
    assert codes == {Exit.DECIDE if doubts else Exit.DONE}
    assert max(bought(play).values()) == 1
    for attempt in doubts.values():
        assert play.run(("orders", "resubmit", attempt.attempt)).code == Exit.DONE
    for place in places:
        assert play.nursery.start(BUILD, place, play.environment).end().code == Exit.DONE
    assert bought(play).total() <= ASSETS + len(doubts)
