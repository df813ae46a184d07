"""The law of merges in three ways: what either side paid for is never rendered again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flux2build.digest import Digest
from flux2build.lockfile import (
    Block,
    Candidate,
    Generated,
    Lockfile,
    Review,
    ReviewState,
    conflict_line,
    dumps,
    loads,
)
from flux2build.lockfile.merge import doubled, sides
from flux2build.lockfile.three_way import merged
from flux2build.model import AssetName, Generate, Receipt, Recipe, order_of
from flux2build.planning.plan import plan
from flux2build.planning.reason import ReasonCode
from flux2build.planning.reconcile import reconciled
from flux2build.planning.verdict import Action
from tests.snapshots import META, PROFILE, d, files_of, generated, master, snapshot

NAMES: Final = ("ant", "bee")
TAKES: Final = 3
PROMPTS = st.sampled_from(["red", "green", "blue"])
DECIDED = st.sampled_from([None, *(state for state in ReviewState if state != "disputed")])


class Branch:
    """What a branch says of one asset: its prompt, which candidate it picked, what it decided."""

    def __init__(self, prompt: str, pick: int, state: ReviewState | None) -> None:
        self.prompt, self.pick, self.state = prompt, pick, state

    def __repr__(self) -> str:
        return f"Branch({self.prompt!r}, {self.pick}, {self.state})"


ASSETS = st.builds(Branch, PROMPTS, st.integers(1, TAKES), DECIDED)
BRANCHES = st.fixed_dictionaries(dict.fromkeys(NAMES, ASSETS))
EDITS = st.dictionaries(st.sampled_from(NAMES), ASSETS)


def asked(name: str, prompt: str) -> Recipe:
    """The recipe of an asset with candidates."""
    recipe = master(name, f"a {prompt} {name}")
    assert isinstance(recipe.task, Generate)
    takes = tuple(recipe.task.varied(take, None) for take in range(1, TAKES + 1))
    return replace(recipe, takes=takes)


def built(branch: Mapping[str, Branch], edits: Mapping[str, Branch], who: str) -> Lockfile:
    """The lock of a branch on which everything is built, picked and decided.

    Who has decided about the edits is somebody else than who decided about the rest.
    """
    branch = {**branch, **edits}
    blocks = {}
    for name, asset in branch.items():
        recipe = asked(name, asset.prompt)
        several, picked = list[Candidate](), list[Generated]()
        for number, task in enumerate(recipe.takes, start=1):
            row = generated(replace(recipe, task=task), data=f"{name} {asset.prompt} {number}")
            output = replace(row.output, path="")
            receipt = Receipt("fake", cost_source="settled")
            several.append(
                Candidate(number, order_of(task, ()).digest, number, None, output, receipt)
            )
            picked.append(replace(row, receipt=receipt, picked=True))
        row = picked[asset.pick - 1]
        state, digest = asset.state, row.output.sha256
        own = who if name in edits else "base"
        review = Review(state, digest, own, f"2026-01-01, {own}") if state else None
        blocks[AssetName(name), PROFILE] = Block(
            AssetName(name), PROFILE, META, row, candidates=tuple(several), review=review
        )
    return Lockfile(blocks, revision=2)


def by_lines(folder: Path, locks: Sequence[Lockfile], how: str) -> str:
    """What is left of two locks where git merged them by lines, with or without its markers."""
    for name, lock in zip(("base", "ours", "theirs"), locks, strict=True):
        folder.joinpath(name).write_text(dumps(lock), "utf-8")
    union = ["--union"] if how == "union" else []
    words = ["git", "merge-file", "-p", *union, "ours", "base", "theirs"]
    text = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False).stdout
    if how != "both":
        return text
    markers = ("<<<<<<<", "=======", ">>>>>>>")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(markers))


def read(text: str, recipes: Sequence[Recipe], files: Mapping[str, Digest]) -> Lockfile:
    """The lock that a text is read as, by what the merged spec wants where it has two sides."""
    if conflict_line(text) is not None:
        return reconciled({PROFILE: recipes}, *sides(text, "assets.lock"), files)
    parts = doubled(text, "assets.lock")
    if parts is not None:
        return reconciled({PROFILE: recipes}, *parts[:2], files)
    return loads(text, "assets.lock")


@pytest.mark.parametrize("how", ["driver", "markers", "both", "union"])
@settings(max_examples=int(os.environ.get("MERGES", "40")))
@given(base=BRANCHES, ours=EDITS, theirs=EDITS, resolution=st.booleans())
def test_a_merge_is_what_the_merged_spec_wants(
    scratch: Path,
    how: str,
    base: dict[str, Branch],
    ours: dict[str, Branch],
    theirs: dict[str, Branch],
    *,
    resolution: bool,
) -> None:
    """However git brings two branches together, nothing is ordered, and no decision is lost unseen.

    By the driver, by lines with markers, by "accept both changes", and by `merge=union`.
    """
    locks = [built(base, {}, "base"), built(base, ours, "ours"), built(base, theirs, "theirs")]
    spec = {
        name: _prompt(base[name], ours.get(name), theirs.get(name), resolution) for name in NAMES
    }
    recipes = [asked(name, prompt) for name, prompt in spec.items()]
    files = {path: digest for lock in locks for path, digest in files_of(lock).items()}
    text, conflicts = merged(locks[0], locks[1], locks[2])
    assert bool(conflicts) == (conflict_line(text) is not None)
    text = text if how == "driver" else by_lines(scratch, locks, how)
    lock = read(text, recipes, files)
    direct = reconciled({PROFILE: recipes}, locks[1], locks[2], files)

    for each in (lock, direct):
        store = [
            row.output.sha256 for side in locks for b in side.blocks.values() for row in b.pictures
        ]
        result = plan(recipes, snapshot(each, files_of(each), stored=store), lambda _recipe: None)
        assert not [step for step in result.steps if step.verdict.action is Action.RENDER]
    for name in NAMES:
        _unlost(name, lock, base[name], ours.get(name), theirs.get(name))
        _picked(
            lock.blocks[AssetName(name), PROFILE],
            spec[name],
            [b[name] for b in (base, {**base, **ours}, {**base, **theirs})],
        )


def _prompt(base: Branch, ours: Branch | None, theirs: Branch | None, resolution: bool) -> str:  # noqa: FBT001 - drawn
    """The prompt of the merged spec; where both changed it, a person takes one side."""
    own, other = (side.prompt if side else base.prompt for side in (ours, theirs))
    if own in {base.prompt, other}:
        return other
    return own if other == base.prompt or resolution else other


def _picked(block: Block, prompt: str, branches: list[Branch]) -> None:
    """What ships is what the one side picked that changed it, or else nothing that anybody picked alone."""
    base, *both = ((each.prompt, each.pick) for each in branches)
    changed = {each for each in both if each != base} or {base}
    wanted = {pick for said, pick in changed if said == prompt}
    row = block.generated
    if len(wanted) == 1 and (len(changed) == 1 or {said for said, _ in changed} != {prompt}):
        assert row is not None
        assert row.output.sha256 == d(f"{block.asset} {prompt} {wanted.pop()}")
    elif row is not None:
        shown = {each.pick for each in branches[1:] if each.state is ReviewState.APPROVED}
        assert row.take in shown


def _unlost(
    name: str, lock: Lockfile, base: Branch, ours: Branch | None, theirs: Branch | None
) -> None:
    """What only one side picked and decided counts; a contradiction is for a person."""
    block = lock.blocks[AssetName(name), PROFILE]
    if ours is None or theirs is None:
        wanted = ours or theirs or base
        assert block.generated is not None
        assert block.generated.output.sha256 == d(f"{name} {wanted.prompt} {wanted.pick}")
        assert (block.decision.state if block.decision else None) == wanted.state
        return
    same = (ours.prompt, ours.pick) == (theirs.prompt, theirs.pick)
    if same and {ours.state, theirs.state} >= {ReviewState.APPROVED, ReviewState.REJECTED}:
        changed = (base.prompt, base.pick) != (ours.prompt, ours.pick)
        both = changed or base.state not in {ours.state, theirs.state}
        state = block.decision.state if block.decision else None
        assert state is ReviewState.DISPUTED or not both


def test_two_picks_of_one_request_are_waited_for() -> None:
    """Neither of two different picks is taken unseen."""
    base = {name: Branch("red", 1, None) for name in NAMES}
    locks = [built(base, {"ant": Branch("red", pick, None)}, "") for pick in (2, 3)]
    recipes = [asked(name, "red") for name in NAMES]
    lock = reconciled({PROFILE: recipes}, locks[0], locks[1], {})
    result = plan(recipes, snapshot(lock), lambda _recipe: None)

    assert [s.recipe.asset for s in result.steps if s.verdict.due_to(ReasonCode.UNPICKED)] == [
        "ant"
    ]
