"""The runner: the only loop that spends.

Every step is judged again when its inputs are really known, with what the
build has made so far; what is done is never more than what was planned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from flux2build.building.lock_update import Entry, LockUpdate
from flux2build.digest import Digest
from flux2build.errors import Exit, Flux2BuildError, HaltedError, Problem, gravest
from flux2build.images.documents.contract import Fact
from flux2build.lockfile import Lockfile, Seen
from flux2build.model import (
    Asset,
    AssetName,
    Bought,
    Derive,
    Generate,
    Input,
    Made,
    Order,
    Output,
    Placed,
    Recipe,
    Source,
    Write,
    order_of,
)
from flux2build.planning.plan import Plan, Step
from flux2build.planning.reason import Reason, ReasonCode
from flux2build.planning.verdict import Action, Known, Snapshot, Verdict, judge
from flux2build.purchasing.order_errors import undecided


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

    async def write(self, task: Write, facts: Sequence[Fact]) -> bytes:
        """The text of a document that tells these facts.

        Raises:
            Flux2BuildError: it cannot be written with these options or facts.
        """

    async def measure(self, path: str, digest: Digest) -> Output:
        """What a source is, by its bytes."""

    def has(self, digest: Digest) -> bool:
        """Whether bytes can be had now, from the store or the work tree."""

    def bench(self) -> asyncio.Semaphore:
        """A place to derive one asset's files at; there are as many as memory shall bear."""

    async def fetch(self, digest: Digest) -> bytes:
        """Bytes that can be had."""

    async def place(self, path: str, data: bytes, was: str | None) -> Output:
        """Write a file durably; `was` is an older path of the same output, now vacated."""

    def lock(self, lock: Lockfile) -> None:
        """Write the lock durably."""

    def unsettled(self, order: Digest) -> bool:
        """Whether an order is under way, kept aside or in doubt, or was just bought."""

    @property
    def halted(self) -> bool:
        """Whether a person asked to stop: nothing more is to be begun."""

    def encoder(self, form: str) -> str:
        """Versions of the libraries that write derived files of a format."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a step; `problems` say why it did not succeed."""

    recipe: Recipe
    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    blocked: AssetName | None = None
    """The asset that was not made, where that is why."""


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

    The lock is written at the end, whatever happened until then. Where there is
    no end, as in a power cut, ledger and store know what was paid for.
    Once the world is halted nothing more is begun, and what is under way is finished.
    """
    runner = _Runner(seen, LockUpdate(seen.lock, seen.profile, assets), world, told)
    groups: dict[AssetName, list[Step]] = {}
    for step in plan.steps:
        groups.setdefault(step.recipe.asset, []).append(step)
    runner.expect(plan.steps)
    runner.give_up(plan.steps)
    try:
        async with asyncio.TaskGroup() as tasks:
            for steps in groups.values():
                tasks.create_task(runner.asset(steps))
        runner.supersede()
    finally:
        await runner.land()
        runner.save()
    return runner.report


class _Runner:
    def __init__(
        self,
        seen: Snapshot,
        register: LockUpdate,
        world: World,
        told: Callable[[Event], None],
    ) -> None:
        self.report, self._written = Report(), register.lock
        self._register, self._world, self._told = register, world, told
        self._made, self._files = dict(seen.made), dict(seen.files)
        self._seen = replace(seen, made=self._made, files=self._files, has=world.has)
        self._wanted: dict[str, AssetName] = {}
        self._outputs: dict[str, asyncio.Future[Output]] = {}
        self._masters: dict[AssetName, str] = {}
        self._flights: dict[Digest, tuple[AssetName, asyncio.Future[Bought]]] = {}
        self._given_up: dict[AssetName, Digest | None] = {}
        """Assets that are bought anew and not here yet, with their orders once they are placed."""

    def expect(self, steps: Iterable[Step]) -> None:
        """Promise the files that this build is going to have."""
        loop = asyncio.get_running_loop()
        for recipe in (step.recipe for step in steps):
            self._wanted[recipe.output] = recipe.asset
            future = self._outputs[recipe.output] = loop.create_future()
            future.add_done_callback(lambda f: f.cancelled() or f.exception())
            if isinstance(recipe.task, Generate):
                self._masters[recipe.asset] = recipe.output

    def give_up(self, steps: Iterable[Step]) -> None:
        """Take what is bought anew out of the lock: after a crash the old picture is not it."""
        for step in steps:
            anew = step.verdict.due_to(ReasonCode.REQUESTED)
            if anew and step.verdict.action is Action.RENDER and step.high != 0:
                self._given_up[step.recipe.asset] = None
        self._write(self._register.without(self._given_up))

    async def asset(self, steps: Sequence[Step]) -> None:
        """Make one asset: its master first, what is derived from it, and then its documents."""
        recipes = [step.recipe for step in steps]
        for recipe in recipes:
            if isinstance(recipe.task, Generate):
                await self._trying(recipe, self._master(recipe))
        if derived := [recipe for recipe in recipes if isinstance(recipe.task, Derive)]:
            await self._deliverables(derived)
        for recipe in recipes:
            if isinstance(recipe.task, Write):
                await self._trying(recipe, self._document(recipe, recipe.task))

    async def _trying(self, recipe: Recipe, work: Coroutine[None, None, None]) -> None:
        """Make a file, or tell everyone who waits for it that it will not come."""
        try:
            await work
        except Flux2BuildError as failure:
            self._fail(recipe, failure)

    async def _master(self, recipe: Recipe) -> None:
        inputs = await self._inputs(recipe)
        verdict = judge(recipe, inputs, self._seen)
        if verdict.action is Action.ASK:
            if not verdict.due_to(ReasonCode.IN_DOUBT):
                raise undecided(recipe, verdict)
            # It may be another build's, this very moment: the world waits for that one, and looks.
            verdict = replace(verdict, action=Action.RESUME)
        if verdict.action is Action.RENDER and self._world.halted:
            raise HaltedError
        if verdict.action in (Action.RENDER, Action.RESUME):
            verdict = await self._bought(recipe, inputs, verdict)
        await self._reuse(recipe, inputs, verdict)

    async def _bought(
        self, recipe: Recipe, inputs: tuple[Digest, ...], verdict: Verdict
    ) -> Verdict:
        """One flight per order: who asks second waits for the first, and adopts its picture."""
        if not isinstance(recipe.task, Generate):  # pragma: no cover - masters only
            raise TypeError(recipe)
        order = order_of(recipe.task, inputs)
        if recipe.asset in self._given_up:
            self._given_up[recipe.asset] = order.digest
        if order.digest in self._flights:
            first, flight = self._flights[order.digest]
            reasons = (*verdict.reasons, Reason(ReasonCode.SAME_ORDER, first))
            verdict = replace(verdict, action=Action.ADOPT, reasons=reasons)
        else:
            flight = asyncio.ensure_future(self._world.buy(order, recipe))
            self._flights[order.digest] = (recipe.asset, flight)
        bought = await asyncio.shield(flight)
        self._made[order.digest] = Known(bought.digest, bought.receipt)
        return replace(verdict, bytes=bought.digest, receipt=bought.receipt)

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
            async with self._world.bench():
                await self._derive(due)

    async def _derive(self, due: Sequence[tuple[Recipe, tuple[Digest, ...], Verdict]]) -> None:
        if self._world.halted:
            for recipe, _, _ in due:
                self._fail(recipe, HaltedError())
            return
        answers = await self._world.derive([d[0] for d in due], [d[1] for d in due])
        for (recipe, inputs, verdict), answer in zip(due, answers, strict=True):
            if isinstance(answer, Flux2BuildError):
                self._fail(recipe, answer)
            else:
                await self._trying(recipe, self._put(recipe, inputs, verdict, answer))

    async def _document(self, recipe: Recipe, task: Write) -> None:
        """Judge a document once everything that it tells of is there, and write it if it is due."""
        told_of = [await self._output(source) for source in recipe.inputs]
        inputs = tuple(output.sha256 for output in told_of)
        verdict = judge(recipe, inputs, self._seen)
        if verdict.action is not Action.DERIVE:
            await self._reuse(recipe, inputs, verdict)
            return
        if self._world.halted:
            raise HaltedError
        facts = [Fact(*pair) for pair in zip(task.about, told_of, strict=True)]
        await self._put(recipe, inputs, verdict, await self._world.write(task, facts))

    async def _reuse(self, recipe: Recipe, inputs: tuple[Digest, ...], verdict: Verdict) -> None:
        """Leave a file as it is, or put bytes that exist into its place."""
        if verdict.action is Action.KEEP:
            self._register.touch(recipe.asset)
            self._finish(recipe, verdict)
            return
        if verdict.bytes is None:  # pragma: no cover - with known inputs there are bytes by now
            raise AssertionError(verdict)
        await self._put(recipe, inputs, verdict, await self._world.fetch(verdict.bytes))

    async def _put(
        self, recipe: Recipe, inputs: tuple[Digest, ...], verdict: Verdict, data: bytes
    ) -> None:
        """Put a file into its place, and enter it."""
        was = self._left_behind(recipe)
        output = await self._world.place(recipe.output, data, was)
        self._files[recipe.output] = output.sha256
        if was is not None:
            self._files.pop(was, None)
        encoder = self._world.encoder(output.format) if isinstance(recipe.task, Derive) else ""
        seen = tuple(Seen(str(s), digest) for s, digest in zip(recipe.inputs, inputs, strict=True))
        if isinstance(recipe.task, Generate):
            self._given_up.pop(recipe.asset, None)
        self._register.enter(recipe, Entry(seen, output, encoder), verdict)
        if verdict.key is not None:
            self._made[verdict.key] = Known(output.sha256, verdict.receipt)
        self._finish(recipe, verdict)

    def _left_behind(self, recipe: Recipe) -> str | None:
        """The older path of a picture, where its file still is and nobody else wants one."""
        before = self._register.output(recipe)
        if before is None or before.path in self._wanted:
            return None
        return before.path if self._files.get(before.path) == before.sha256 else None

    async def _inputs(self, recipe: Recipe) -> tuple[Digest, ...]:
        """The bytes of the inputs, once they are all there."""
        return tuple([await self._input(source) for source in recipe.inputs])

    async def _input(self, source: Input) -> Digest:
        if not isinstance(source, Source):
            return (await self._output(source)).sha256
        if (digest := self._files.get(source.path)) is None:
            raise Flux2BuildError(f"`{source.path}` disappeared while building")
        return digest

    async def _output(self, source: Input) -> Output:
        """What an input is, once it is there."""
        match source:
            case Source(path):
                return await self._world.measure(path, await self._input(source))
            case Made(asset):
                return await asyncio.shield(self._outputs[self._masters[asset]])
            case Placed(path=path):
                return await asyncio.shield(self._outputs[path])

    def supersede(self) -> None:
        """Drop rows of files that another asset has taken over."""
        self._register.supersede(self._wanted)

    async def land(self) -> None:
        """After an interruption, see every flight down: what is submitted gets its ticket."""
        flying = [flight for _, flight in self._flights.values() if not flight.done()]
        for flight in flying:
            flight.cancel()
        await asyncio.gather(*flying, return_exceptions=True)

    def save(self) -> None:
        """Write the lock if this build changed it.

        What was to be bought anew keeps its old picture, unless a new one may yet come.
        """
        orders = self._given_up.items()
        unsure = [asset for asset, order in orders if order and self._world.unsettled(order)]
        self._write(self._register.without(unsure))

    def _write(self, lock: Lockfile) -> None:
        if lock.blocks != self._written.blocks:
            self._world.lock(lock)
            self._written = lock

    def _finish(self, recipe: Recipe, verdict: Verdict) -> None:
        if (output := self._register.output(recipe)) is None:  # pragma: no cover - it was entered
            raise AssertionError(recipe)
        self._outputs[recipe.output].set_result(output)
        self.report.done.append((recipe, verdict))
        self._told(Event(recipe, verdict))

    def _fail(self, recipe: Recipe, failure: Flux2BuildError) -> None:
        future = self._outputs[recipe.output]
        if isinstance(failure, HaltedError):
            future.set_exception(failure)
            self.report.interrupted = True
            return
        future.set_exception(BlockedError(recipe.asset))
        blocked = failure.culprit if isinstance(failure, BlockedError) else None
        if blocked is not None:
            self.report.blocked.append((recipe, blocked))
        else:
            self.report.failures.append((recipe, failure))
        self._told(Event(recipe, Verdict(Action.ASK), failure.problems, blocked))
