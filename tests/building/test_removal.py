"""A file is removed only where it is proved to be ours, whatever the lock says."""

from __future__ import annotations

import pytest

from flux2build.building.removal import Removal, shared
from flux2build.digest import of_bytes
from tests.lockfile.test_lockfile import locked, made

DIGEST = of_bytes(b"picture")


def stays(
    path: str, *, folders: tuple[str, ...] = ("out",), tracked: bool, stored: bool, asked: bool
) -> str | None:
    """Why a file stays, among files of which git tracks all or none."""
    files = frozenset({path}) if tracked else frozenset[str]()
    kept = {"out/desk.png": "the source `out/desk.png`"}
    removal = Removal(kept.get, folders, files, lambda _digest: stored, frozenset({"out/two.png"}))
    problem = removal.refusal(path, DIGEST, requested=asked)
    return problem.message if problem else None


@pytest.mark.parametrize(
    ("path", "folders", "when"),
    [
        ("out/a.png", ("out",), {"asked", "stored", "untracked"}),
        ("OUT/a.png", ("out",), {"asked", "stored", "untracked"}),
        ("final/a.png", ("out", "final"), {"asked", "stored", "untracked"}),
        ("img/a.png", (".",), {"stored", "asked untracked"}),
        ("img/a.png", ("out",), {"stored untracked"}),
        ("output/a.png", ("out",), {"stored untracked"}),
    ],
)
def test_proofs(path: str, folders: tuple[str, ...], when: set[str]) -> None:
    """Below an output folder the lock is trusted with some proof; elsewhere only with the store."""
    for asked in (False, True):
        for stored in (False, True):
            for tracked in (False, True):
                facts = {"asked"} if asked else set[str]()
                facts |= ({"stored"} if stored else set()) | (set() if tracked else {"untracked"})
                removed = any(set(words.split()) <= facts for words in when)
                why = stays(path, folders=folders, tracked=tracked, stored=stored, asked=asked)
                assert (why is None) is removed, (facts, why)


@pytest.mark.parametrize("path", ["out/desk.png", "out/two.png"])
def test_what_is_needed_stays(path: str) -> None:
    """No proof removes what the spec reads, or what another row of the lock holds, too."""
    assert stays(path, tracked=False, stored=True, asked=True)


@pytest.mark.parametrize("folding", [True, False])
def test_rows_that_share_a_file(*, folding: bool) -> None:
    """Two rows share a file where they spell its path alike, and in two ways if the disk says so."""
    lock = locked(
        made("a", "a", path="out/A.png"), made("b", "b", path="out/a.png"), made("c", "c")
    )
    twice = locked(made("a", "a", path="out/a.png"), made("b", "b", path="out/a.png"))

    assert shared(lock, lambda _path, others: folding and bool(others)) == (
        {"out/A.png", "out/a.png"} if folding else set()
    )
    assert shared(twice, lambda _path, _others: False) == {"out/a.png"}
