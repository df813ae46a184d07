"""A merge that keeps both sides without markers is taken apart again."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.errors import LockError
from flux2build.lockfile import Block, Derived, Generated, Lockfile, dumps, loads
from flux2build.lockfile.merge import doubled
from flux2build.model import AssetName, MasterOf, Recipe
from tests.snapshots import d, deliverable, derived, generated, locked, master

SIDES = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(["red", "blue", "green"]) for name in ("den", "fox", "owl")}
)


def side(colours: dict[str, str]) -> Lockfile:
    """A lock whose pictures have these colours; each has a reference and two files."""
    rows: list[tuple[Recipe, Generated | Derived]] = []
    for name, colour in colours.items():
        recipe = master(name, f"a {colour} {name}. It sits.", MasterOf(AssetName("ref")))
        picture = generated(recipe, [d(colour)], data=f"{colour} {name}")
        cuts = [deliverable(name, f"img/{name}-{size}.webp", size=size) for size in (16, 32)]
        rows.append((recipe, picture))
        rows += [
            (cut, derived(cut, [picture.output.sha256], f"{colour}{cut.output}")) for cut in cuts
        ]
    return locked(*rows)


def union(folder: Path, base: Lockfile, ours: Lockfile, theirs: Lockfile) -> str:
    """What git writes with `merge=union`, which is what an editor's "accept both" writes too."""
    for name, lock in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_text(dumps(lock), "utf-8")
    command = ["git", "merge-file", "-p", "--union", "ours", "base", "theirs"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout.decode()


def without_lists(block: Block) -> Block:
    """A block without its lists, whose lines cannot always be told apart; keys prove their content."""
    assert block.generated
    derived = tuple(replace(row, inputs=()) for row in block.derived)
    return replace(block, generated=replace(block.generated, prompt="", inputs=()), derived=derived)


def read(folder: Path, *colours: dict[str, str]) -> list[Lockfile]:
    """What is read of a merge without markers: both sides, or one lock where no row stands twice."""
    text = union(folder, *map(side, colours))
    parts = doubled(text, "assets.lock")
    return [loads(text, "assets.lock")] if parts is None else [*parts[:2]]


def bytes_of(lock: Lockfile) -> set[tuple[str, str]]:
    """The key and the digest of every file."""
    rows = (row for block in lock.blocks.values() for row in block.rows)
    return {(row.key, row.output.sha256) for row in rows}


@settings(max_examples=30, deadline=None)
@given(st.tuples(SIDES, SIDES, SIDES))
def test_no_key_gets_the_bytes_of_another(
    tmp_path_factory: pytest.TempPathFactory, colours: tuple[dict[str, str], ...]
) -> None:
    """Whatever the sides changed, added or removed: a key keeps its bytes, or the lock is refused."""
    known = bytes_of(side(colours[1])) | bytes_of(side(colours[2]))

    with suppress(LockError):
        for lock in read(tmp_path_factory.mktemp("git"), *colours):
            assert bytes_of(lock) <= known


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        ({"fox": "red"}, {"fox": "blue"}, {"fox": "green"}),
        ({}, {"fox": "blue"}, {"fox": "green"}),
        ({}, {"den": "blue"}, {"owl": "green"}),
        ({"fox": "red"}, {"fox": "blue", "den": "red"}, {"fox": "green", "owl": "red"}),
        (
            {"fox": "red", "owl": "red"},
            {"fox": "blue", "owl": "blue"},
            {"fox": "green", "owl": "green"},
        ),
    ],
)
def test_both_sides_are_told_apart(
    tmp_path: Path, base: dict[str, str], ours: dict[str, str], theirs: dict[str, str]
) -> None:
    """Where both sides changed or added pictures, as merges do, each has its own rows again."""
    one, other = read(tmp_path, base, ours, theirs)

    for lock, whole in ((one, side(ours)), (other, side(theirs))):
        for key, block in whole.blocks.items():
            assert without_lists(lock.blocks[key]) == without_lists(block)


def test_a_plain_lock_is_not_doubled() -> None:
    """A lock that no merge has touched has one side."""
    text = dumps(side({"fox": "red", "owl": "blue"}))

    assert doubled(text, "assets.lock") is None
    assert doubled("nonsense", "assets.lock") is None


def test_what_cannot_be_told_apart_is_an_error() -> None:
    """Rows that stand twice and fit nowhere are not guessed at; the hint is not to restore them."""
    text = dumps(side({"fox": "red"}))
    broken = text.replace("take = 1\n", "take = 1\ntake = soon\n")

    with pytest.raises(LockError, match="both sides of a merge") as caught:
        doubled(broken, "assets.lock")
    assert "git log" in (caught.value.problems[0].hint or "")
