"""The harness has teeth: builds that break a law are caught, and the same trial clears honest ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from tests.laws.conftest import MakeSandbox
from tests.laws.interception import Cut
from tests.laws.mutants import MUTANTS
from tests.laws.situations import situation
from tests.laws.trials import Situation

_NEVER: Final = Cut(10**6)
_DROPPED: Final[dict[str, Any]] = {
    "stage": "submit",
    "prompt": "owl",
    "fault": "drop-after-read",
    "times": "once",
}
_FLAKY: Final = replace(situation("cold"), name="flaky", rules=(_DROPPED,))


@pytest.mark.parametrize(
    ("mutant", "case", "cut", "power", "caught"),
    [
        ("nothing intended", situation("cold"), Cut(2, after="POST "), False, "DOUBLE CHARGE"),
        ("nothing intended", situation("cold"), _NEVER, False, "before its `intended` was on disk"),
        ("intended unsynced", situation("cold"), Cut(2, after="POST "), True, "DOUBLE CHARGE"),
        (
            "intended unsynced",
            situation("cold"),
            _NEVER,
            False,
            "before its `intended` was on disk",
        ),
        ("nothing synced", situation("cold"), Cut(1, after='"ticketed"'), True, "DOUBLE CHARGE"),
        ("post retried", _FLAKY, _NEVER, False, "DOUBLE CHARGE"),
        (
            "store unsynced",
            situation("cold"),
            Cut(2, after='"delivered"'),
            True,
            "bytes are not here",
        ),
        ("store unsynced", situation("cold"), _NEVER, False, "on disk, and the bytes are not"),
        (
            "old picture back",
            situation("forced"),
            Cut(2, after='"delivered"'),
            False,
            "bought last",
        ),
    ],
)
def test_a_broken_law_is_caught(
    make_sandbox: MakeSandbox, mutant: str, case: Situation, cut: Cut, caught: str, *, power: bool
) -> None:
    """A subclass does what the product must not do, and the trial complains about exactly that."""
    guilty = make_sandbox(case, mutant).trial([cut], power=power)
    honest = make_sandbox(case).trial([cut], power=power)

    assert [each for each in guilty if caught in each], guilty
    assert honest == []


def test_every_control_is_used() -> None:
    """Every mutant is caught, here or by the law that it breaks."""
    elsewhere = {
        "redirect followed",
        "key in clear",
        "bug with the key",
        "nobody kept out",
        "caps ignored",
        "nothing spooled",
    }
    marks = getattr(test_a_broken_law_is_caught, "pytestmark", ())
    here = {case[0] for mark in marks for case in mark.args[1]}

    assert here | elsewhere == set(MUTANTS)
