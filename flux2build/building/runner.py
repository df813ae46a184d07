"""The runner: the only loop that spends money.

Every step is judged again once its inputs are known, against what the build
has made so far. The runner never does more than what was planned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence

from msgspec.structs import replace

from flux2build.building.due import due_steps
from flux2build.building.effects import World
from flux2build.building.lock_update import LockUpdate, described
from flux2build.building.report import BlockedError, Event, Report, WaitingError, refuse_waiting
from flux2build.building.since import Since
from flux2build.digest import Digest
from flux2build.errors import Flux2BuildError, HaltedError
from flux2build.images.documents.contract import Fact
from flux2build.lockfile import LockedInput, Lockfile
from flux2build.model import (
    AssetName,
    Bought,
    Derive,
    Generate,
    Input,
    MasterOf,
    Output,
    OutputOf,
    Recipe,
    Source,
    Write,
    order_of,
)
from flux2build.planning import candidates
from flux2build.planning.plan import Plan, Step
from flux2build.planning.reason import Reason, ReasonCode
from flux2build.planning.snapshot import KnownPicture, Snapshot
from flux2build.planning.verdict import Action, Verdict, judge
from flux2build.purchasing.order_errors import broken, judged
from flux2build.storage.store import DamagedError, LostError


async def build(
    plan: Plan,
    snapshot: Snapshot,
    world: World,
    tell: Callable[[Event], None],
    halt: asyncio.Event,
) -> Report:
    """Carry out a plan; the failure of one asset never cancels its siblings.

    The lock is written at the end, even when the build fails or is cancelled. After a power cut,
    ledger and store still know what was paid for. Once `halt` is set no new work begins.
    """
    update = LockUpdate(snapshot.lock, snapshot.profile, snapshot.metas)
    runner = _Runner(snapshot, update, world, tell, halt)
    due = due_steps(plan.steps)
    runner.expect(plan, due)
    runner.give_up(plan.steps)
    try:
        async with asyncio.TaskGroup() as tasks:
            for steps in due.values():
                tasks.create_task(runner.asset(steps))
        update.supersede(runner.owners)
    finally:
        await runner.cancel_purchases()
        runner.save()
    runner.report.sort(step.recipe for step in plan.steps)
    return runner.report


class _Runner:
    def __init__(
        self,
        snapshot: Snapshot,
        update: LockUpdate,
        world: World,
        tell: Callable[[Event], None],
        halt: asyncio.Event,
    ) -> None:
        self.report, self._written = Report(), update.lock
        self._update, self._world, self._tell, self._halt = update, world, tell, halt
        self._files, self._pictures = Since(snapshot.files), Since(snapshot.pictures)
        self._snapshot = replace(snapshot, pictures=self._pictures, files=self._files)
        self._derivations, self._copies = asyncio.Semaphore(world.lanes + 1), asyncio.Semaphore(32)
        """Bound memory: the assets that can be derived at once and one more, and some copies."""
        self.owners: dict[str, AssetName] = {}
        self._outputs: dict[str, asyncio.Future[Output]] = {}
        self._masters: dict[AssetName, str] = {}
        self._current: dict[str, Verdict] = {}
        """The files that are to be kept as they are, and need nothing that could be missing."""
        self._purchases: dict[Digest, tuple[AssetName, asyncio.Future[Bought]]] = {}
        self._given_up: dict[AssetName, Digest | None] = {}
        """Assets whose new picture has not arrived, with their orders once they are placed."""

    def expect(self, plan: Plan, due: Collection[AssetName]) -> None:
        """Promise the files that this build will have for the due assets."""
        self.report.due, self.report.kept = frozenset(due), plan.kept
        for recipe, step in ((s.recipe, s) for s in plan.steps if not s.recipe.candidate):
            self.owners[recipe.output] = recipe.asset
            if recipe.asset not in due:
                self.report.done.append((recipe, step.verdict))
                continue
            if step.verdict.action is Action.KEEP:
                self._current[recipe.output] = step.verdict
            future = self._outputs[recipe.output] = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda f: f.cancelled() or f.exception())
            if isinstance(recipe.task, Generate):
                self._masters[recipe.asset] = recipe.output

    def give_up(self, steps: Iterable[Step]) -> None:
        """Drop the rows of pictures that are bought anew: after a crash they must not count."""
        for step in steps:
            anew = step.verdict.due_to(ReasonCode.REQUESTED)
            if anew and step.verdict.action is Action.RENDER and step.high != 0:
                self._given_up[step.recipe.asset] = None
        self._write(self._update.without(self._given_up))

    async def asset(self, steps: Sequence[Step]) -> None:
        """Make one asset: its candidates, its master, its deliverables, then its documents."""
        await asyncio.gather(*(self._candidate(s.recipe) for s in steps if s.recipe.candidate))
        recipes = [step.recipe for step in steps if not step.recipe.candidate]
        for recipe in recipes:
            if isinstance(recipe.task, Generate):
                await self._master(recipe)
        if derived := [recipe for recipe in recipes if isinstance(recipe.task, Derive)]:
            await self._deliverables(derived)
        for recipe in recipes:
            if isinstance(recipe.task, Write):
                await self._try(recipe, self._document(recipe, recipe.task))

    async def _try(self, recipe: Recipe, work: Coroutine[None, None, None]) -> None:
        """Make a file; if that fails, fail everything that waits for it."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the siblings and the lock are not lost for it
            self._fail(recipe, broken(recipe.output, error, *recipe.inputs))

    async def _master(self, recipe: Recipe) -> None:
        """Buy a picture if it is due, and write it.

        A bug while buying ends the build: with it, no more money is put at risk.
        """
        try:
            inputs = await self._inputs(recipe)
            block, free = self._snapshot.block(recipe), not self._snapshot.buys(recipe)
            recipe = candidates.chosen(recipe, inputs, block, free=free)
            verdict = await self._bought(recipe, inputs)
        except Flux2BuildError as failure:
            self._fail(recipe, failure)
        else:
            await self._try(recipe, self._shipped(recipe, inputs, verdict))

    async def _shipped(self, recipe: Recipe, inputs: tuple[Digest, ...], verdict: Verdict) -> None:
        """Write a picture; if its bytes are damaged, it is drawn again if that is free."""
        if again := await self._reuse(recipe, inputs, verdict):
            await self._reuse(recipe, inputs, await self._buy(recipe, inputs, again))

    async def _candidate(self, recipe: Recipe) -> None:
        """Buy a candidate if it is due, and enter its receipt in the lock."""
        try:
            inputs = await self._inputs(recipe)
            verdict = await self._bought(recipe, inputs)
            output = await self._candidate_output(verdict)
        except Flux2BuildError as failure:
            self._note(recipe, failure)
        else:
            self._update.enter_candidate(recipe, inputs, output, verdict)
            self.report.done.append((recipe, verdict))
            self._tell(Event(recipe, verdict))

    async def _candidate_output(self, verdict: Verdict) -> Output:
        """The output of a candidate, from the lock or from its bytes."""
        if verdict.key is None or verdict.bytes is None:  # pragma: no cover - it was bought
            raise AssertionError(verdict)
        if (output := self._update.known(verdict.key)) and output.sha256 == verdict.bytes:
            return replace(output, path="")
        earlier = self._snapshot.described(verdict.key, verdict.bytes)
        return earlier or described("", verdict.bytes, await self._world.fetch(verdict.bytes))

    async def _bought(self, recipe: Recipe, inputs: tuple[Digest, ...]) -> Verdict:
        """The verdict on a master or a candidate, once its picture exists."""
        verdict = judge(recipe, inputs, self._snapshot)
        if verdict.action is Action.ASK:
            refuse_waiting(recipe, verdict)
            if not verdict.due_to(ReasonCode.IN_DOUBT) and verdict.key not in self._purchases:
                raise judged(recipe, verdict, self._snapshot)
            # This or another build may be buying it right now: the world waits, and looks again.
            verdict = replace(verdict, action=Action.RESUME)
        if verdict.action is Action.RENDER and self._halt.is_set():
            raise HaltedError
        if verdict.action in (Action.RENDER, Action.RESUME):
            verdict = await self._buy(recipe, inputs, verdict)
        return verdict

    async def _buy(self, recipe: Recipe, inputs: tuple[Digest, ...], verdict: Verdict) -> Verdict:
        """Buy each order once: further requests for it wait, and adopt the same picture."""
        if not isinstance(recipe.task, Generate):  # pragma: no cover - masters only
            raise TypeError(recipe)
        order = order_of(recipe.task, inputs)
        if recipe.asset in self._given_up:
            self._given_up[recipe.asset] = order.digest
        if order.digest in self._purchases:
            first, purchase = self._purchases[order.digest]
            same = Reason(ReasonCode.SAME_ORDER, first)
            if first == recipe.asset:
                same = Reason(ReasonCode.FIRST_CANDIDATE)
            reasons = (*verdict.reasons, same)
            verdict = replace(verdict, action=Action.ADOPT, reasons=reasons)
        else:
            self._tell(Event(recipe, verdict, begun=True))
            purchase = asyncio.ensure_future(self._world.buy(order, recipe))
            self._purchases[order.digest] = (recipe.asset, purchase)
        purchased = await asyncio.shield(purchase)
        self._pictures[order.digest] = KnownPicture(purchased.digest, purchased.receipt)
        if purchased.shared and verdict.action is not Action.ADOPT:
            reasons = (*verdict.reasons, Reason(ReasonCode.TEAM_STORE))
            verdict = replace(verdict, action=Action.ADOPT, reasons=reasons)
        return replace(verdict, bytes=purchased.digest, receipt=purchased.receipt)

    async def _deliverables(self, recipes: Sequence[Recipe]) -> None:
        """Judge all files of one asset, then derive the outdated ones together."""
        due: list[tuple[Recipe, tuple[Digest, ...], Verdict]] = []

        async def decided(recipe: Recipe) -> None:
            inputs = await self._inputs(recipe)
            verdict = await self._reuse(recipe, inputs, judge(recipe, inputs, self._snapshot))
            if verdict is not None:
                due.append((recipe, inputs, verdict))

        for recipe in recipes:
            await self._try(recipe, decided(recipe))
        if due:
            async with self._derivations:
                await self._derive(due)

    async def _derive(self, due: Sequence[tuple[Recipe, tuple[Digest, ...], Verdict]]) -> None:
        if self._halt.is_set():
            for recipe, _, _ in due:
                self._fail(recipe, HaltedError())
            return
        for recipe, _, verdict in due:
            self._tell(Event(recipe, verdict, begun=True))
        try:
            answers = await self._world.derive([d[0] for d in due], [d[1] for d in due])
        except Exception as error:  # noqa: BLE001 - the siblings and the lock are not lost for it
            answers = [broken(recipe.output, error, *recipe.inputs) for recipe, _, _ in due]
        for (recipe, inputs, verdict), answer in zip(due, answers, strict=True):
            if isinstance(answer, Flux2BuildError):
                self._fail(recipe, answer)
            else:
                await self._try(recipe, self._put(recipe, inputs, verdict, answer))

    async def _document(self, recipe: Recipe, task: Write) -> None:
        """Judge a document once everything it describes exists, and write it if it is due."""
        outputs = [await self._output(source) for source in recipe.inputs]
        inputs = tuple(output.sha256 for output in outputs)
        verdict = await self._reuse(recipe, inputs, judge(recipe, inputs, self._snapshot))
        if verdict is None:
            return
        if self._halt.is_set():
            raise HaltedError
        facts = [Fact(*pair) for pair in zip(task.about, outputs, strict=True)]
        await self._put(recipe, inputs, verdict, await self._world.write(task, facts))

    async def _reuse(
        self, recipe: Recipe, inputs: tuple[Digest, ...], verdict: Verdict
    ) -> Verdict | None:
        """Leave a file as it is, or put existing bytes into its place.

        Returns the verdict on a file that has to be made: this one, or a new one if the existing
        bytes are damaged and making them again is free.
        """
        if verdict.action is Action.DERIVE:
            return verdict
        if verdict.action is Action.KEEP:
            self._update.touch(recipe.asset)
            self._finish(recipe, verdict)
            return None
        if verdict.action is Action.ASK:
            refuse_waiting(recipe, verdict)
            raise judged(recipe, verdict, self._snapshot)
        if verdict.bytes is None:  # pragma: no cover - with known inputs there are bytes by now
            raise AssertionError(verdict)
        async with self._copies:
            try:
                await self._put(recipe, inputs, verdict, verdict.bytes)
            except (LostError, DamagedError) as damage:
                again = judge(recipe, inputs, self._snapshot)  # without the bytes that were damaged
                drawn = again.action is Action.RENDER and not self._snapshot.buys(recipe)
                if drawn or again.action is Action.DERIVE:
                    self._tell(Event(recipe, again, damage.problems, begun=True))
                    return again
                if isinstance(damage, LostError) and again.due_to(ReasonCode.PAID_FOR):
                    raise judged(recipe, again, self._snapshot) from None
                raise
        return None

    async def _put(
        self, recipe: Recipe, inputs: tuple[Digest, ...], verdict: Verdict, data: bytes | Digest
    ) -> None:
        """Write a file, of these bytes or of those with this digest, and enter it in the lock."""
        vacated = self._vacated(recipe)
        placed = await self._world.place(recipe.output, data, vacated)
        output = self._update.coloured(recipe, verdict, placed)
        self._files[recipe.output] = self.report.placed[recipe.output] = output.sha256
        if vacated is not None:
            self._files.take_away(vacated)
            self.report.placed[vacated] = None
        if isinstance(recipe.task, Generate):
            self._given_up.pop(recipe.asset, None)
        names = map(str, recipe.inputs)
        rows = tuple(LockedInput(*pair) for pair in zip(names, inputs, strict=True))
        self._update.enter(recipe, rows, output, verdict)
        if verdict.key is not None:
            self._pictures[verdict.key] = KnownPicture(output.sha256, verdict.receipt)
        self._finish(recipe, verdict)

    def _vacated(self, recipe: Recipe) -> str | None:
        """The earlier path of an output, if its file is still there, ours, and wanted by nothing."""
        before = self._update.output(recipe)
        if before is None or before.path in self.owners:
            return None
        if self._files.get(before.path) != before.sha256:
            return None
        return before.path if self._snapshot.removable(before.path, before.sha256) else None

    async def _inputs(self, recipe: Recipe) -> tuple[Digest, ...]:
        """The bytes of the inputs, after all of them exist."""
        return tuple([await self._input(source) for source in recipe.inputs])

    async def _input(self, source: Input) -> Digest:
        if not isinstance(source, Source):
            return (await self._output(source)).sha256
        if (digest := self._files.get(source.path)) is None:
            raise Flux2BuildError(f"`{source.path}` disappeared while building")
        return digest

    async def _output(self, source: Input) -> Output:
        """The file of an input, after it exists."""
        match source:
            case Source(path):
                digest = await self._input(source)
                return described(path, digest, await self._world.fetch(digest))
            case MasterOf(asset):
                future = self._outputs.get(self._masters.get(asset, ""))
            case OutputOf(path=path):
                future = self._outputs.get(path)
        return await asyncio.shield(future) if future else self._update.kept(source)

    async def cancel_purchases(self) -> None:
        """Cancel purchases in progress, and wait: what was submitted still gets its ticket."""
        pending = [purchase for _, purchase in self._purchases.values() if not purchase.done()]
        for purchase in pending:
            purchase.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    def save(self) -> None:
        """Write the lock if this build changed it.

        An asset that was to be bought anew keeps its old picture, unless the new one may
        still arrive.
        """
        orders = self._given_up.items()
        unsure = [asset for asset, order in orders if order and self._world.unsettled(order)]
        self._write(self._update.without(unsure))

    def _write(self, lock: Lockfile) -> None:
        if lock.blocks != self._written.blocks:
            self.report.lock = lock, self._world.lock(lock)
            self._written = lock

    def _finish(self, recipe: Recipe, verdict: Verdict) -> None:
        if (output := self._update.output(recipe)) is None:  # pragma: no cover - it was entered
            raise AssertionError(recipe)
        self._outputs[recipe.output].set_result(output)
        self.report.done.append((recipe, verdict))
        self._tell(Event(recipe, verdict))

    def _fail(self, recipe: Recipe, failure: Flux2BuildError) -> None:
        future = self._outputs[recipe.output]
        if future.done():
            raise failure  # the file is made: an error after that is a bug
        current = self._current.get(recipe.output)
        if isinstance(failure, BlockedError | WaitingError) and current:
            self._update.touch(recipe.asset)
            self._finish(recipe, current)
            return
        passed_on = isinstance(failure, HaltedError | WaitingError)
        future.set_exception(failure if passed_on else BlockedError(recipe.asset))
        self._note(recipe, failure)

    def _note(self, recipe: Recipe, failure: Flux2BuildError) -> None:
        """Report why a file was not made."""
        if (event := self.report.note(recipe, failure)) is not None:
            self._tell(event)
