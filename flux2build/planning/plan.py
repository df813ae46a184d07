"""The plan: every recipe with its verdict and price, decided before anything is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flux2build.digest import Digest, of_json
from flux2build.lockfile import Block, Generated, Lockfile, Row
from flux2build.model import (
    AssetName,
    Generate,
    Input,
    MasterOf,
    Order,
    OutputOf,
    Recipe,
    Source,
    key_of,
    order_of,
)
from flux2build.planning import candidates
from flux2build.planning.finals import locked_at
from flux2build.planning.open_orders import OpenOrder
from flux2build.planning.reason import WAITING, Reason, ReasonCode
from flux2build.planning.snapshot import Snapshot, locked
from flux2build.planning.verdict import Action, Verdict, judge

_WAITING: Final = frozenset({Action.RENDER, Action.DERIVE, Action.ASK})
"""The actions that may have to wait for a decision about another picture."""
_ASKING: Final = frozenset({Action.RENDER, Action.RESUME, Action.ASK})
"""The actions on a picture that is not there yet."""

_NOTHING: Final[Mapping[str, Digest]] = {}

Pricer = Callable[[Recipe], tuple[Decimal, Decimal] | None]
"""Returns the least and the most that an order may cost in USD; None for an unknown price."""


class Step(Struct, frozen=True):
    """One recipe with its verdict and its price in USD."""

    recipe: Recipe
    verdict: Verdict
    before: Row | None = None
    """The locked row of its output."""
    low: Decimal = Decimal(0)
    high: Decimal | None = Decimal(0)
    """None if the price is unknown."""
    notes: tuple[str, ...] = ()
    """Notes that a person should read before paying for it."""
    missing: str = ""
    """The programs or weights that it needs and this machine lacks."""

    @property
    def drift(self) -> bool:
        """Whether the step does anything."""
        return self.verdict.action is not Action.KEEP


class Orphan(Struct, frozen=True):
    """A file that the lock holds and the spec does not want."""

    asset: AssetName
    profile: str
    path: str
    sha256: Digest


class Plan(Struct, frozen=True):
    """All steps in build order, and the orphans."""

    profile: str
    steps: tuple[Step, ...]
    orphans: tuple[Orphan, ...] = ()
    orders: tuple[OpenOrder, ...] = ()
    """Open orders that no step asks for."""
    kept: int = 0
    """The number of further files, which are kept and have no step here."""
    further: Mapping[AssetName, int] = {}
    """The number of candidates of an asset to order beyond those that it has."""
    reopened: frozenset[AssetName] = frozenset()
    """The assets whose decisions by a person are ignored."""

    @property
    def files(self) -> int:
        """The number of files that the spec wants."""
        return sum(not step.recipe.candidate for step in self.steps) + self.kept

    @property
    def todo(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.drift)

    @property
    def drift(self) -> bool:
        """Whether files, lock and spec disagree anywhere, or an order of this project is open."""
        return (
            bool(self.orphans)
            or any(step.drift for step in self.steps)
            or any(order.ours for order in self.orders)
        )

    @property
    def counts(self) -> Mapping[Action, int]:
        """The number of steps of each action."""
        return Counter({Action.KEEP: self.kept} if self.kept else {}) + Counter(
            step.verdict.action for step in self.steps
        )

    @property
    def low(self) -> Decimal:
        """The least that will be spent, in USD."""
        return priced(self.steps)[0]

    @property
    def high(self) -> Decimal | None:
        """The most that may be spent, in USD; None if a price is unknown."""
        return priced(self.steps)[1]


def priced(steps: Iterable[Step]) -> tuple[Decimal, Decimal | None]:
    """Return the least and the most that steps may cost together; no most if a price is unknown."""
    prices = [(step.low, step.high) for step in steps]
    low, highs = sum((low for low, _ in prices), Decimal(0)), [high for _, high in prices]
    return low, None if None in highs else sum((h for h in highs if h is not None), Decimal(0))


def plan(recipes: Iterable[Recipe], snapshot: Snapshot, price: Pricer) -> Plan:
    """Judge every recipe; the recipes come in an order in which inputs precede their users."""
    planner = Planner(snapshot, price)
    steps = (step for recipe in recipes for step in planner.steps(recipe))
    return Plan(
        snapshot.profile,
        tuple(steps),
        further=snapshot.further,
        reopened=snapshot.reopened,
    )


class Planner:
    """Judges recipes one by one; inputs come before their users.

    `before` has the digests of pictures whose recipes are not judged, by the names of inputs.
    """

    def __init__(
        self, snapshot: Snapshot, price: Pricer, before: Mapping[str, Digest] = _NOTHING
    ) -> None:
        self._snapshot, self._price = snapshot, price
        self._inputs = Inputs(snapshot.files, before)
        self._duplicates = _Duplicates(snapshot.files, before)
        self._waiting = _Waiting()

    @cached_property
    def _ours(self) -> frozenset[tuple[str, Digest]]:
        return locked_at(self._snapshot.lock, self._snapshot.profile)

    def keep(self, step: Step) -> None:
        """Note a step that keeps its file."""
        self._inputs.note(step.recipe, step.verdict.bytes)
        self._duplicates.settled(step.recipe, step.verdict)

    def steps(self, recipe: Recipe) -> Iterator[Step]:
        """Return the steps of a recipe: those of candidates that are due, then its own."""
        further = self._snapshot.further.get(recipe.asset, 0)
        if recipe.takes or further:
            block, inputs = self._snapshot.block(recipe), self._inputs.of(recipe)
            for each in candidates.orders(recipe, inputs, block, further):
                if (step := self.step(each)).drift:
                    yield step
        yield self.step(recipe)

    def step(self, recipe: Recipe) -> Step:
        """Return the step of a recipe alone."""
        snapshot, inputs = self._snapshot, self._inputs.of(recipe)
        free = not snapshot.buys(recipe)
        recipe = candidates.chosen(recipe, inputs, snapshot.block(recipe), free=free)
        verdict = self._duplicates.settled(recipe, judge(recipe, inputs, snapshot))
        verdict = self._waiting.settled(recipe, verdict)
        self._inputs.note(recipe, verdict.bytes)
        step = _step(recipe, verdict, snapshot, self._price)
        if verdict.action is Action.KEEP:
            return step
        notes = tuple(_replaced(step, snapshot, lambda: self._ours))
        return replace(step, notes=notes) if notes else step


class _Waiting:
    """The assets that this build cannot make, because they wait for a person's decision."""

    def __init__(self) -> None:
        self._for: dict[AssetName, ReasonCode] = {}
        self._files: set[str] = set()
        """The derived files that wait."""

    def settled(self, recipe: Recipe, verdict: Verdict) -> Verdict:
        """Make a verdict wait if it uses a picture that waits for a decision."""
        if verdict.action not in _WAITING:
            return verdict
        waits = any(each.code in WAITING for each in verdict.reasons)
        if verdict.action is not Action.ASK:
            pass
        elif not isinstance(recipe.task, Generate):
            self._files |= {recipe.output} if waits else set()
        elif verdict.due_to(ReasonCode.UNPICKED):
            self._for[recipe.asset] = ReasonCode.UPSTREAM_UNPICKED
            return verdict
        elif waits:
            self._for[recipe.asset] = ReasonCode.UPSTREAM_WAITING
            return verdict
        names = (each.asset for each in recipe.inputs if not isinstance(each, Source))
        culprit = next((name for name in names if name in self._for), None) or self._late(recipe)
        if culprit is None:
            return verdict
        if isinstance(recipe.task, Generate):
            self._for[recipe.asset] = ReasonCode.UPSTREAM_WAITING
        code = self._for.get(culprit, ReasonCode.UPSTREAM_WAITING)
        return replace(verdict, action=Action.ASK, reasons=(Reason(code, culprit),))

    def _late(self, recipe: Recipe) -> AssetName | None:
        """The asset of a derived file that a document describes, and that waits."""
        described = (each for each in recipe.inputs if isinstance(each, OutputOf))
        return next((each.asset for each in described if each.path in self._files), None)


class Inputs:
    """The digests of recipes' inputs, as far as the recipes noted so far determine them."""

    def __init__(
        self, files: Mapping[str, Digest], before: Mapping[str, Digest] = _NOTHING
    ) -> None:
        self._files, self._before = files, before
        self._masters: dict[AssetName, Digest | None] = {}
        self._outputs: dict[str, Digest | None] = {}

    def note(self, recipe: Recipe, output: Digest | None) -> None:
        """Note the digest of a recipe's output; None if it is unknown."""
        if recipe.candidate:
            return
        self._outputs[recipe.output] = output
        if isinstance(recipe.task, Generate):
            self._masters[recipe.asset] = output

    def of(self, recipe: Recipe) -> tuple[Digest | None, ...]:
        """Return the digests of a recipe's inputs; None for an input that does not exist yet."""
        return tuple([self._digest(source) for source in recipe.inputs])

    def key(self, recipe: Recipe) -> Digest | None:
        """Return the key of a recipe, or None while an input is unknown."""
        ready = candidates.complete(self.of(recipe))
        return None if ready is None else key_of(recipe.task, ready)

    def order(self, recipe: Recipe) -> Order | None:
        """Return the order of a recipe; None if it orders nothing, or an input is unknown."""
        ready, task = candidates.complete(self.of(recipe)), recipe.task
        return None if ready is None or not isinstance(task, Generate) else order_of(task, ready)

    def _digest(self, source: Input) -> Digest | None:
        if isinstance(source, Source):
            return self._files.get(source.path)
        if isinstance(source, MasterOf) and source.asset in self._masters:
            return self._masters[source.asset]
        if isinstance(source, OutputOf) and source.path in self._outputs:
            return self._outputs[source.path]
        return self._before.get(str(source))


class _Duplicates:
    """Detects duplicate orders, including those whose inputs are still pending."""

    def __init__(self, files: Mapping[str, Digest], before: Mapping[str, Digest]) -> None:
        self._files, self._before = files, before
        self._pictures: dict[AssetName, Digest] = {}
        """The digest of each picture; while it is pending, the digest of its order."""
        self._first: dict[Digest, tuple[AssetName, int]] = {}

    def settled(self, recipe: Recipe, verdict: Verdict) -> Verdict:
        """Turn the verdict on a repeated order into an adoption, which costs nothing."""
        if not isinstance(recipe.task, Generate):
            return verdict
        order = verdict.key or key_of(recipe.task, tuple(map(self._stand_in, recipe.inputs)))
        if not recipe.candidate:
            self._pictures[recipe.asset] = verdict.bytes or order
        if verdict.action is not Action.RENDER:
            return verdict
        own = recipe.asset, recipe.candidate
        first = self._first.setdefault(order, own)
        if first == own:
            return verdict
        same = Reason(ReasonCode.SAME_ORDER, first[0])
        if first[0] == recipe.asset:
            same = Reason(ReasonCode.FIRST_CANDIDATE)
        reasons = (*verdict.reasons, same)
        return replace(verdict, action=Action.ADOPT, reasons=reasons)

    def _stand_in(self, source: Input) -> Digest:
        if isinstance(source, MasterOf):
            digest = self._pictures.get(source.asset) or self._before.get(str(source))
        else:
            digest = self._files.get(source.path)
        return digest or of_json(str(source))


def _step(recipe: Recipe, verdict: Verdict, snapshot: Snapshot, price: Pricer) -> Step:
    before = None if recipe.candidate > 1 else locked(recipe, snapshot)
    if verdict.action is Action.KEEP:
        return Step(recipe, verdict, before)
    # An order in doubt may be another build's; if it is refused there, this step sends it.
    doubt = verdict.due_to(ReasonCode.IN_DOUBT)
    if verdict.action is not Action.RENDER and not doubt:
        return Step(recipe, verdict, before)
    low, high = price(recipe) or (Decimal(0), None)
    certain = verdict.certain and verdict.action is Action.RENDER
    return Step(recipe, verdict, before, low if certain else Decimal(0), high)


def asked(
    plan: Plan, files: Mapping[str, Digest], before: Mapping[str, Digest] = _NOTHING
) -> dict[Digest, Generate]:
    """Return the orders that a plan still asks for, by each of their names."""
    inputs, tasks = Inputs(files, before), dict[Digest, Generate]()
    for step in plan.steps:
        task, order = step.recipe.task, inputs.order(step.recipe)
        if step.verdict.action in _ASKING and isinstance(task, Generate) and order:
            tasks |= dict.fromkeys(order.names, task)
        inputs.note(step.recipe, step.verdict.bytes)
    return tasks


def _replaced(
    step: Step, snapshot: Snapshot, ours: Callable[[], Container[tuple[str, Digest]]]
) -> Iterator[str]:
    """A note about a file that would be replaced, and that differs from the lock."""
    path, verdict = step.recipe.output, step.verdict
    there = None if step.recipe.candidate else snapshot.files.get(path)
    unchanged = verdict.action in {Action.KEEP, Action.ASK} or there in {None, verdict.bytes}
    own = step.before.output if step.before else None
    if there is None or unchanged or (own and (own.path, own.sha256) == (path, there)):
        return
    if (path, there) in ours() or snapshot.pointer(path):
        return
    owner = snapshot.owners.get(path)
    mismatch = "is not what the lock says" if step.before else "the lock does not know"
    what = f"what the profile `{owner.profile}` made" if owner else f"a file that {mismatch}"
    yield f"replaces {what}; its bytes are kept, and the build says how to bring them back"


def orphans(
    recipes: Sequence[Recipe], blocks: Iterable[Block], profiles: frozenset[str], profile: str
) -> tuple[Orphan, ...]:
    """Find the files in the lock that no recipe wants, in this profile or in a removed one.

    A file that another asset has taken over is not an orphan: the next build
    drops its old row.
    """
    masters = {recipe.asset for recipe in recipes if isinstance(recipe.task, Generate)}
    paths = {recipe.output for recipe in recipes}
    result: list[Orphan] = []
    for block in blocks:
        removed = block.profile != profile
        if removed and block.profile in profiles:
            continue
        for row in block.rows:
            rendered = isinstance(row, Generated) and block.asset in masters and not removed
            if not rendered and row.output.path not in paths:
                output = row.output
                result.append(Orphan(block.asset, block.profile, output.path, output.sha256))
    return tuple(sorted(result, key=lambda orphan: (orphan.path, orphan.asset)))


def pruned(lock: Lockfile, unwanted: Iterable[Orphan]) -> Lockfile:
    """Return the lock without the rows of orphans, and without blocks that this empties."""
    keys = {(orphan.asset, orphan.profile, orphan.path) for orphan in unwanted}
    blocks: dict[tuple[AssetName, str], Block] = {}
    for key, block in lock.blocks.items():
        paths = {row.output.path for row in block.rows if (*key, row.output.path) not in keys}
        rest = block.keeping(paths)
        if rest and (rest.rows or not block.rows):  # the candidates go with the last file
            blocks[key] = rest
    return replace(lock, blocks=blocks)
