"""Markers of a merge in the lock are reported, whatever the files are."""

from __future__ import annotations

from msgspec.structs import replace

from flux2build.checks.finding import Finding
from flux2build.checks.lock import CHECK
from flux2build.errors import Place, Problem
from tests.checks.in_memory import facts, findings_of


def test_conflicts() -> None:
    """One finding, at the first marker, with what a build will do about it."""
    lock = b"version = 1\n<<<<<<< ours\n"

    assert findings_of(CHECK, replace(facts(), conflict=2, read=lambda _: lock)) == [
        Finding(
            code="lock-conflict",
            problem=Problem(
                message="the lock holds merge conflicts",
                place=Place("assets.lock", 2),
                hint="`flux2build build` keeps, for each asset, the side that the merged spec wants",
                excerpt="<<<<<<< ours",
                width=12,
            ),
            path="assets.lock",
        )
    ]


def test_no_conflicts() -> None:
    """A lock without markers is none of its business, even where files drift."""
    assert findings_of(CHECK, facts()) == []
    assert findings_of(CHECK, facts(files={})) == []


def test_the_lock_is_named_like_the_spec() -> None:
    """Beside `icons.toml` lies `icons.lock`."""
    about = facts()
    renamed = replace(about, spec=replace(about.spec, file="icons.toml"), conflict=1)

    assert findings_of(CHECK, renamed)[0].path == "icons.lock"
