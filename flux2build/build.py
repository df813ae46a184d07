"""The runner: the only loop that spends.

Every step is judged again when its inputs are really known, with what the
build has made so far; what is done is never more than what was planned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from flux2build.digest import Digest
from flux2build.errors import Exit, Flux2BuildError, HaltedError, Problem, gravest
from flux2build.lockfile import Block, Derived, Generated, Lockfile, Output, Seen
from flux2build.model import (
    KEY_SCHEMA,
    Asset,
    AssetName,
    Derive,
    Generate,
    Input,
    Made,
    Order,
    Receipt,
    Recipe,
    order_of,
)
from flux2build.plan import Plan, Step
from flux2build.setback import undecided
from flux2build.verdict import Action, Known, Snapshot, Verdict, judge


@dataclass(frozen=True, slots=True)
class Bought:
    """A picture that was just rendered or collected; its bytes are in the store."""

    digest: Digest
    receipt: Receipt


class World(Protocol):
    """Every effect that a build can have."""

    async def buy(self, order: Order, recipe: Recipe) -> Bought:
        """Render an order, or collect it if it is on its way.

        Raises:
            Flux2BuildError: refused, failed, over budget or in doubt.
        """

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[Digest, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """Derive files that share their input 0; one answer for each recipe."""

    async def fetch(self, digest: Digest) -> bytes:
        """Bytes that exist, from the store or the work tree."""

    async def place(self, path: str, data: bytes, was: str | None) -> Output:
        """Write a file durably; `was` is an older path of the same output, now vacated."""

    def lock(self, lock: Lockfile) -> None:
        """Write the lock durably."""

    @property
    def halted(self) -> bool:
        """Whether a person asked to stop: nothing more is to be begun."""

    def encoder(self, form: str) -> str:
        """Versions of the libraries that write derived files of a format."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a step; `problem` tells why it did not succeed."""

    recipe: Recipe
    verdict: Verdict
    problem: Problem | None = None


@dataclass(slots=True)
class Report:
    """What a build came to."""

    done: list[tuple[Recipe, Verdict]] = field(default_factory=list)
    failures: list[tuple[Recipe, Flux2BuildError]] = field(default_factory=list)
    blocked: list[tuple[Recipe, AssetName]] = field(default_factory=list)
    interrupted: bool = False
    """Whether anything was left for the next build because a person asked to stop."""

    @property
    def exit(self) -> Exit:
        """The exit code: the gravest of what happened."""
        codes = {failure.exit for _, failure in self.failures}
        codes = {Exit.INCOMPLETE if code is Exit.USAGE else code for code in codes}
        codes |= {Exit.INTERRUPTED} if self.interrupted else set()
        return gravest(codes | ({Exit.INCOMPLETE} if self.blocked else set()))


class BlockedError(Flux2BuildError):
    """An asset cannot be made because one it needs was not."""

    exit = Exit.INCOMPLETE

    def __init__(self, culprit: AssetName) -> None:
        super().__init__(Problem(f"blocked, because `{culprit}` was not made"))
        self.culprit = culprit


async def build(
    plan: Plan,
    seen: Snapshot,
    assets: Mapping[AssetName, Asset],
    world: World,
    told: Callable[[Event], None],
) -> Report:
    """Carry out a plan; failures of one asset never cancel its siblings.

    The lock is written as pictures arrive and at the end, whatever happens.
    Once the world is halted nothing more is begun, and what is under way is finished.
    """
    runner = _Runner(seen, assets, world, told)
    groups: dict[AssetName, list[Step]] = {}
    for step in plan.steps:
        groups.setdefault(step.recipe.asset, []).append(step)
    runner.expect(plan.steps)
    try:
        async with asyncio.TaskGroup() as tasks:
            for steps in groups.values():
                tasks.create_task(runner.asset(steps))
        runner.supersede({step.recipe.output: step.recipe.asset for step in plan.steps})
    finally:
        await runner.land()
        runner.save()
    return runner.report


class _Runner:
    def __init__(
        self,
        seen: Snapshot,
        assets: Mapping[AssetName, Asset],
        world: World,
        told: Callable[[Event], None],
    ) -> None:
        self.report = Report()
        self._assets, self._world, self._told = assets, world, told
        self._made: dict[Digest, Known] = dict(seen.made)
        self._files = dict(seen.files)
        self._seen = replace(seen, made=self._made, files=self._files, has=self._has)
        self._before, self._blocks = seen.lock, dict(seen.lock.blocks)
        self._fresh: set[Digest] = set()
        self._had = seen.has
        self._masters: dict[AssetName, asyncio.Future[Digest]] = {}
        self._flights: dict[Digest, asyncio.Future[Bought]] = {}

    def expect(self, steps: Iterable[Step]) -> None:
        """Promise the masters that this build is going to have."""
        loop = asyncio.get_running_loop()
        for step in steps:
            if isinstance(step.recipe.task, Generate):
                future = self._masters[step.recipe.asset] = loop.create_future()
                future.add_done_callback(lambda f: f.cancelled() or f.exception())

    async def asset(self, steps: Sequence[Step]) -> None:
        """Make one asset: its master first, then everything derived from it."""
        masters = [step.recipe for step in steps if isinstance(step.recipe.task, Generate)]
        for recipe in masters:
            await self._promise(recipe)
        derived = [step.recipe for step in steps if isinstance(step.recipe.task, Derive)]
        if derived:
            await self._deliverables(derived)

    async def _promise(self, recipe: Recipe) -> None:
        """Make a master, or tell everyone who waits for it that it will not come."""
        future = self._masters[recipe.asset]
        try:
            future.set_result(await self._master(recipe))
        except Flux2BuildError as failure:
            self._fail(recipe, failure)
            halted = isinstance(failure, HaltedError)
            future.set_exception(failure if halted else BlockedError(recipe.asset))

    async def _master(self, recipe: Recipe) -> Digest:
        inputs = await self._inputs(recipe)
        verdict = judge(recipe, inputs, self._seen)
        if verdict.action is Action.ASK:
            raise undecided(recipe, verdict)
        if verdict.action is Action.RENDER and self._world.halted:
            raise HaltedError
        if verdict.action in (Action.RENDER, Action.RESUME):
            bought = await self._buy(recipe, inputs)
            verdict = replace(verdict, bytes=bought.digest, receipt=bought.receipt)
        digest = verdict.bytes
        if digest is None:  # pragma: no cover - every verdict with known inputs has bytes by now
            raise AssertionError(verdict)
        if verdict.action is not Action.KEEP:
            output = await self._put(recipe, await self._world.fetch(digest))
            self._record_master(recipe, inputs, output, verdict)
        else:
            self._touch(recipe.asset)
        self._finish(recipe, verdict)
        return digest

    async def _buy(self, recipe: Recipe, inputs: tuple[Digest, ...]) -> Bought:
        """One flight per order: who asks second waits for the first."""
        if not isinstance(recipe.task, Generate):  # pragma: no cover - masters only
            raise TypeError(recipe)
        order = order_of(recipe.task, inputs)
        flight = self._flights.get(order.digest)
        if flight is None:
            flight = asyncio.ensure_future(self._world.buy(order, recipe))
            self._flights[order.digest] = flight
        bought = await asyncio.shield(flight)
        self._fresh.add(bought.digest)
        self._made[order.digest] = Known(bought.digest, bought.receipt)
        return bought

    async def _deliverables(self, recipes: Sequence[Recipe]) -> None:
        """Judge all files of one asset, then derive what is due in one go."""
        due: list[tuple[Recipe, tuple[Digest, ...], Verdict]] = []
        for recipe in recipes:
            try:
                inputs = await self._inputs(recipe)
                verdict = judge(recipe, inputs, self._seen)
                if verdict.action is Action.DERIVE:
                    due.append((recipe, inputs, verdict))
                else:
                    await self._reuse(recipe, inputs, verdict)
            except Flux2BuildError as failure:
                self._fail(recipe, failure)
        if due:
            await self._derive(due)

    async def _reuse(self, recipe: Recipe, inputs: tuple[Digest, ...], verdict: Verdict) -> None:
        if verdict.action is Action.KEEP:
            self._touch(recipe.asset)
        elif verdict.bytes is not None:
            output = await self._put(recipe, await self._world.fetch(verdict.bytes))
            self._record_derived(recipe, inputs, output, verdict)
        self._finish(recipe, verdict)

    async def _derive(self, due: Sequence[tuple[Recipe, tuple[Digest, ...], Verdict]]) -> None:
        if self._world.halted:
            self.report.interrupted = True
            return
        answers = await self._world.derive([d[0] for d in due], [d[1] for d in due])
        for (recipe, inputs, verdict), answer in zip(due, answers, strict=True):
            if isinstance(answer, Flux2BuildError):
                self._fail(recipe, answer)
                continue
            try:
                output = await self._put(recipe, answer)
            except Flux2BuildError as failure:
                self._fail(recipe, failure)
                continue
            self._record_derived(recipe, inputs, output, verdict)
            self._finish(recipe, verdict)

    async def _inputs(self, recipe: Recipe) -> tuple[Digest, ...]:
        """The bytes of the inputs, once they are all there."""
        return tuple([await self._input(source) for source in recipe.inputs])

    async def _input(self, source: Input) -> Digest:
        if isinstance(source, Made):
            return await asyncio.shield(self._masters[source.asset])
        if (digest := self._files.get(source.path)) is None:
            raise Flux2BuildError(f"`{source.path}` disappeared while building")
        return digest

    async def _put(self, recipe: Recipe, data: bytes) -> Output:
        before = self._row(recipe)
        was = before.output.path if before and before.output.path != recipe.output else None
        output = await self._world.place(recipe.output, data, was)
        self._files[recipe.output] = output.sha256
        return output

    def _row(self, recipe: Recipe) -> Generated | None:
        block = self._blocks.get((recipe.asset, self._seen.profile))
        return block.generated if block and isinstance(recipe.task, Generate) else None

    def _block_of(self, asset: AssetName) -> Block:
        key, meta = (asset, self._seen.profile), self._assets[asset].meta
        block = self._blocks.get(key)
        return replace(block, meta=meta) if block else Block(*key, meta)

    def _touch(self, asset: AssetName) -> None:
        """Note what is said about a kept asset beside its pixels."""
        self._blocks[(asset, self._seen.profile)] = self._block_of(asset)

    def _record_master(
        self, recipe: Recipe, inputs: tuple[Digest, ...], output: Output, verdict: Verdict
    ) -> None:
        task = recipe.task
        if not isinstance(task, Generate) or verdict.key is None:  # pragma: no cover
            raise TypeError(recipe)
        row = Generated(
            key=verdict.key,
            schema=KEY_SCHEMA,
            provider=task.provider,
            model=task.model,
            prompt=task.prompt,
            params=task.params,
            take=task.take,
            inputs=_seen(recipe.inputs, inputs),
            output=output,
            receipt=verdict.receipt or Receipt(task.provider),
        )
        block = replace(self._block_of(recipe.asset), generated=row)
        self._blocks[(recipe.asset, self._seen.profile)] = block

    def _record_derived(
        self, recipe: Recipe, inputs: tuple[Digest, ...], output: Output, verdict: Verdict
    ) -> None:
        task = recipe.task
        if not isinstance(task, Derive) or verdict.key is None:  # pragma: no cover
            raise TypeError(recipe)
        row = Derived(
            key=verdict.key,
            schema=KEY_SCHEMA,
            ops=task.ops,
            encoding=task.encoding,
            inputs=_seen(recipe.inputs, inputs),
            output=output,
            encoder=self._world.encoder(output.format),
        )
        self._made[row.key] = Known(output.sha256)
        block = self._block_of(recipe.asset)
        others = [old for old in block.derived if old.output.path != output.path]
        rows = tuple(sorted((*others, row), key=lambda r: r.output.path))
        self._blocks[(recipe.asset, self._seen.profile)] = replace(block, derived=rows)

    def supersede(self, wanted: Mapping[str, AssetName]) -> None:
        """Drop rows of files that another asset has taken over."""
        for key, block in tuple(self._blocks.items()):
            profile_gone = key[1] != self._seen.profile
            rows = tuple(r for r in block.derived if wanted.get(r.output.path, key[0]) == key[0])
            made = block.generated
            if made and wanted.get(made.output.path, key[0]) != key[0]:
                made = None
            if profile_gone or (made, rows) == (block.generated, block.derived):
                continue
            if made or rows:
                self._blocks[key] = replace(block, generated=made, derived=rows)
            else:
                del self._blocks[key]

    async def land(self) -> None:
        """After an interruption, see every flight down: what is submitted gets its ticket."""
        flying = [flight for flight in self._flights.values() if not flight.done()]
        for flight in flying:
            flight.cancel()
        await asyncio.gather(*flying, return_exceptions=True)

    def save(self) -> None:
        """Write the lock if this build changed it."""
        if self._blocks != self._before.blocks:
            lock = replace(self._before, blocks=dict(self._blocks))
            self._world.lock(lock)
            self._before = lock

    def _has(self, digest: Digest) -> bool:
        return digest in self._fresh or self._had(digest)

    def _finish(self, recipe: Recipe, verdict: Verdict) -> None:
        self.report.done.append((recipe, verdict))
        self._told(Event(recipe, verdict))

    def _fail(self, recipe: Recipe, failure: Flux2BuildError) -> None:
        if isinstance(failure, HaltedError):
            self.report.interrupted = True
            return
        if isinstance(failure, BlockedError):
            self.report.blocked.append((recipe, failure.culprit))
        else:
            self.report.failures.append((recipe, failure))
        self._told(Event(recipe, Verdict(Action.ASK), failure.problems[0]))


def _seen(inputs: Sequence[Input], digests: Sequence[Digest]) -> tuple[Seen, ...]:
    return tuple(Seen(str(s), digest) for s, digest in zip(inputs, digests, strict=True))
