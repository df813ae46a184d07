"""The plan: every recipe with its verdict and price, decided before anything is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from flux2build.digest import Digest
from flux2build.lockfile import Block, Derived, Generated, Lockfile
from flux2build.model import AssetName, Generate, Input, Recipe, Source, key_of
from flux2build.verdict import Action, Reason, Snapshot, Verdict, judge, locked, row_of

Pricer = Callable[[Recipe], tuple[Decimal, Decimal] | None]
"""The least and the most an order may cost in USD; None when its price is unknown."""


@dataclass(frozen=True, slots=True)
class Step:
    """One recipe, what is to be done about it, why, and for how much."""

    recipe: Recipe
    verdict: Verdict
    before: Generated | Derived | None = None
    """What the lock says of it."""
    low: Decimal = Decimal(0)
    high: Decimal | None = Decimal(0)
    """None when the price is unknown."""
    notes: tuple[str, ...] = ()
    """What should be known before it is paid for."""

    @property
    def drift(self) -> bool:
        """Whether anything is to be done."""
        return self.verdict.action is not Action.KEEP


@dataclass(frozen=True, slots=True)
class Orphan:
    """Something the lock holds and the spec does not want."""

    asset: AssetName
    profile: str
    path: str
    sha256: Digest


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps in the order of building, and what is left over."""

    profile: str
    steps: tuple[Step, ...]
    orphans: tuple[Orphan, ...] = ()

    @property
    def todo(self) -> tuple[Step, ...]:
        """The steps that do something."""
        return tuple(step for step in self.steps if step.drift)

    @property
    def drift(self) -> bool:
        """Whether files, lock and spec disagree anywhere."""
        return bool(self.orphans) or any(step.drift for step in self.steps)

    @property
    def counts(self) -> Mapping[Action, int]:
        """How many steps of each action."""
        return Counter(step.verdict.action for step in self.steps)

    @property
    def low(self) -> Decimal:
        """What is certainly spent, in USD."""
        return sum((step.low for step in self.steps), Decimal(0))

    @property
    def high(self) -> Decimal | None:
        """The most that can be spent, in USD; None when a price is unknown."""
        prices = [step.high for step in self.steps]
        return None if None in prices else sum((p for p in prices if p is not None), Decimal(0))

    def only(self, assets: frozenset[AssetName]) -> Plan:
        """The part of this plan that concerns some assets."""
        return replace(
            self,
            steps=tuple(step for step in self.steps if step.recipe.asset in assets),
            orphans=(),
        )


def plan(recipes: Iterable[Recipe], seen: Snapshot, price: Pricer) -> Plan:
    """Judge every recipe, in an order where masters come before their users."""
    steps: list[Step] = []
    masters: dict[AssetName, Digest | None] = {}
    sharing: dict[Digest, AssetName] = {}
    for recipe in recipes:
        verdict = judge(recipe, inputs_of(recipe, masters, seen), seen)
        verdict = _shared(recipe, verdict, sharing)
        if isinstance(recipe.task, Generate):
            masters[recipe.asset] = verdict.bytes
        steps.append(_step(recipe, verdict, seen, price))
    return Plan(seen.profile, tuple(steps))


def inputs_of(
    recipe: Recipe, masters: Mapping[AssetName, Digest | None], seen: Snapshot
) -> tuple[Digest | None, ...]:
    """The bytes of a recipe's inputs, as far as they are known."""

    def digest(source: Input) -> Digest | None:
        if isinstance(source, Source):
            return seen.files.get(source.path)
        return masters.get(source.asset)

    return tuple(digest(source) for source in recipe.inputs)


def _shared(recipe: Recipe, verdict: Verdict, sharing: dict[Digest, AssetName]) -> Verdict:
    """Two assets with one order share one picture: the second costs nothing."""
    if verdict.action is not Action.RENDER or verdict.key is None:
        return verdict
    first = sharing.setdefault(verdict.key, recipe.asset)
    if first == recipe.asset:
        return verdict
    return replace(
        verdict,
        action=Action.ADOPT,
        reasons=(*verdict.reasons, Reason("same-order", first)),
    )


def _step(recipe: Recipe, verdict: Verdict, seen: Snapshot, price: Pricer) -> Step:
    before = locked(recipe, seen)
    if verdict.action not in (Action.RENDER, Action.ASK) or verdict.bytes is not None:
        return Step(recipe, verdict, before)
    cost = price(recipe)
    if cost is None:
        return Step(recipe, verdict, before, high=None)
    low, high = cost
    certain = verdict.certain and verdict.action is Action.RENDER
    return Step(recipe, verdict, before, low if certain else Decimal(0), high)


def orphans(
    recipes: Sequence[Recipe], blocks: Iterable[Block], profiles: frozenset[str], profile: str
) -> tuple[Orphan, ...]:
    """What the lock holds that nobody wants, in this profile or in one that is gone.

    A file that another asset has taken over is not left over: its old row goes
    with the next build.
    """
    masters = {recipe.asset for recipe in recipes if isinstance(recipe.task, Generate)}
    paths = {recipe.output for recipe in recipes}
    found: list[Orphan] = []
    for block in blocks:
        gone = block.profile != profile
        if gone and block.profile in profiles:
            continue
        rows: list[Generated | Derived] = [*block.derived]
        if block.generated and (gone or block.asset not in masters):
            rows.append(block.generated)
        found += [_orphan(block, row) for row in rows if row.output.path not in paths]
    return tuple(sorted(found, key=lambda orphan: (orphan.path, orphan.asset)))


def _orphan(block: Block, row: Generated | Derived) -> Orphan:
    return Orphan(block.asset, block.profile, row.output.path, row.output.sha256)


def pruned(lock: Lockfile, left: Iterable[Orphan]) -> Lockfile:
    """The lock without the rows of what is left over; a block without rows goes too."""
    gone = {(orphan.asset, orphan.profile, orphan.path) for orphan in left}
    blocks: dict[tuple[AssetName, str], Block] = {}
    for key, block in lock.blocks.items():
        made = block.generated
        if made and (*key, made.output.path) in gone:
            made = None
        rows = tuple(row for row in block.derived if (*key, row.output.path) not in gone)
        if made or rows:
            blocks[key] = replace(block, generated=made, derived=rows)
    return replace(lock, blocks=blocks)


def reconciled(
    wanted: Mapping[str, Sequence[Recipe]],
    ours: Lockfile,
    theirs: Lockfile,
    files: Mapping[str, Digest],
) -> Lockfile:
    """One lock out of both sides of a merge: for each output the row that the merged spec wants.

    Where neither side is what the spec wants in a profile, or it does not say,
    the row whose file is there wins, else ours; nothing that only one side knows
    is lost.
    """
    blocks = dict(ours.blocks)
    for name, block in theirs.blocks.items():
        blocks[name] = _united(blocks[name], block) if name in blocks else block
    for profile, recipes in wanted.items():
        masters: dict[AssetName, Digest | None] = {}
        for recipe in recipes:
            key = _key(recipe, masters, files)
            rows = [_row(side, recipe, profile) for side in (ours, theirs)]
            row = _better([row for row in rows if row is not None], key, files)
            if isinstance(row, Generated):
                masters[recipe.asset] = row.output.sha256
            if row is not None:
                block = blocks[(recipe.asset, profile)]
                blocks[(recipe.asset, profile)] = _with_row(block, row)
    return replace(ours, blocks=blocks, revision=max(ours.revision, theirs.revision))


def _key(
    recipe: Recipe, masters: Mapping[AssetName, Digest | None], files: Mapping[str, Digest]
) -> Digest | None:
    """What a recipe is keyed on, as far as its inputs are known."""
    inputs = (
        files.get(source.path) if isinstance(source, Source) else masters.get(source.asset)
        for source in recipe.inputs
    )
    ready = tuple(digest for digest in inputs if digest is not None)
    return key_of(recipe.task, ready) if len(ready) == len(recipe.inputs) else None


def _united(ours: Block, theirs: Block) -> Block:
    """Our block, with the rows that only theirs has."""
    paths = {row.output.path for row in ours.derived}
    more = tuple(row for row in theirs.derived if row.output.path not in paths)
    both = replace(ours, generated=ours.generated or theirs.generated)
    return replace(both, derived=_sorted((*ours.derived, *more)))


def _with_row(block: Block, row: Generated | Derived) -> Block:
    if isinstance(row, Generated):
        return replace(block, generated=row)
    others = (old for old in block.derived if old.output.path != row.output.path)
    return replace(block, derived=_sorted((*others, row)))


def _sorted(rows: Iterable[Derived]) -> tuple[Derived, ...]:
    return tuple(sorted(rows, key=lambda row: row.output.path))


def _row(side: Lockfile, recipe: Recipe, profile: str) -> Generated | Derived | None:
    block = side.block(recipe.asset, profile)
    return row_of(recipe, block) if block else None


def _better(
    rows: Sequence[Generated | Derived], key: Digest | None, files: Mapping[str, Digest]
) -> Generated | Derived | None:
    """The row that is wanted, else the one whose file is there, else the first."""

    def rank(row: Generated | Derived) -> tuple[bool, bool]:
        return (row.key != key, files.get(row.output.path) != row.output.sha256)

    return min(rows, key=rank, default=None)
