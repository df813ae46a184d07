"""A lock that kept both sides of a merge is reported, and read all the same."""

from __future__ import annotations

from msgspec.structs import replace

from flux2build.checks.doubled import CHECK
from flux2build.checks.finding import Finding
from flux2build.errors import Place, Problem
from tests.checks.in_memory import facts, findings_of


def test_both_sides() -> None:
    """One finding, where the second side begins, with what a build will do about it."""
    lock = b"version = 1\n[asset.fox.draft]\n[asset.fox.draft]\n"

    assert findings_of(CHECK, replace(facts(), doubled=3, read=lambda _: lock)) == [
        Finding(
            code="lock-doubled",
            problem=Problem(
                message="the lock holds both sides of a merge",
                place=Place("assets.lock", 3),
                hint="`flux2build build` writes, for each asset, the side that the merged spec wants",
                excerpt="[asset.fox.draft]",
                width=17,
            ),
            path="assets.lock",
        )
    ]


def test_one_side() -> None:
    """A lock with each block once is none of its business."""
    assert findings_of(CHECK, facts()) == []
