"""Rendering on this machine while a person edits: sketches stand in, and edits do not wait."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Container, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from flux2build.building import event_loop
from flux2build.building.artifacts import Artifacts
from flux2build.building.report import Report
from flux2build.building.runner import build
from flux2build.building.toolbox import Toolbox
from flux2build.building.world import RealWorld
from flux2build.digest import Digest
from flux2build.images.documents import DOCUMENTS
from flux2build.images.ops import OPS
from flux2build.images.provenance.signing import Signer
from flux2build.lockfile import Lockfile
from flux2build.model import Derive, Generate, MasterOf, OutputOf, Recipe
from flux2build.planning.plan import Plan, Step
from flux2build.planning.snapshot import Snapshot
from flux2build.planning.verdict import Action
from flux2build.providers import PROVIDERS
from flux2build.providers.contract import Installed
from flux2build.providers.sketch import PROVIDER as SKETCH
from flux2build.purchasing.local_renderer import LocalRenderer
from flux2build.purchasing.weights.devices import Workers
from flux2build.purchasing.weights.process import Worker
from flux2build.purchasing.weights.under_way import UnderWay
from flux2build.session import standing_in


class Drafting:
    """The state that a watch keeps between builds while pictures are rendered on this machine.

    The workers have a model in memory, and may be rendering pictures of the next build.
    """

    def __init__(self, edited: Callable[[], bool]) -> None:
        """`edited` looks for a moment whether anything has changed."""
        self._edited = edited
        self.loop = event_loop.kept()
        self.overtaken = False
        """Whether an edit ended the latest build early."""
        self.signalled = False
        """Whether Ctrl-C came during the latest build, even if all work was finished."""
        self.under_way = UnderWay(Workers(()))
        self._sketches = set[tuple[str, Digest]]()

    async def on(self, devices: Sequence[str]) -> UnderWay:
        """The work under way on some devices; the same devices keep their workers."""
        if [worker.device for worker in self.under_way.workers.workers] != list(devices):
            await self._close()
            self.under_way = UnderWay(Workers([Worker(device) for device in devices]))
        return self.under_way

    def keep(self, plan: Plan) -> None:
        """Stop renderings that are no longer wanted."""
        keys = (step.verdict.key for step in _rendered_here(plan))
        self.under_way.keep({key for key in keys if key is not None})

    def close(self) -> None:
        """End the workers, even if they are busy."""
        self.loop.run(self._close())
        self.loop.close()

    async def _close(self) -> None:
        await self.under_way.close()
        await self.under_way.workers.close()

    def concerns(self, plan: Plan) -> bool:
        """Whether a plan renders with open weights."""
        return any(True for _ in _rendered_here(plan))

    def artifacts(self, artifacts: Artifacts) -> Artifacts:
        """The bytes at hand, in which sketches that stand in may be overwritten."""
        return standing_in.replaceable(artifacts, self._sketches)

    @asynccontextmanager
    async def heeding_edits(
        self, halt: asyncio.Event, abandoned: asyncio.Event
    ) -> AsyncIterator[None]:
        """Halt at the next edit, and leave the pictures that are under way."""
        over = threading.Event()

        def listen() -> bool:
            while not over.is_set():
                if self._edited():
                    return True
            return False

        async def heed() -> None:
            if await asyncio.to_thread(listen) and not halt.is_set():
                self.overtaken = True
                halt.set()
                abandoned.set()

        heeding = asyncio.create_task(heed())
        try:
            yield
        finally:
            over.set()
            await heeding

    async def sketched(
        self, plan: Plan, snapshot: Snapshot, artifacts: Artifacts, halt: asyncio.Event
    ) -> Mapping[str, Digest]:
        """Write sketches in place of the pictures that are rendered here; return the files.

        They are built like pictures, and files are derived from them, but the lock does not have
        them.
        """
        slots = asyncio.Semaphore(os.cpu_count() or 1)
        renderer = LocalRenderer(SKETCH, artifacts.store, slots, halt)
        steps = tuple(_standing_in(plan))
        providers = {
            step.recipe.task.provider for step in steps if isinstance(step.recipe.task, Generate)
        }
        signer = Signer(lambda data, _master, _term: data)
        toolbox = Toolbox(OPS, DOCUMENTS, signer, lambda op, image: op.sketched(image))
        renderers = dict.fromkeys(providers, renderer)
        world = _Unlocked(artifacts, artifacts.folder, renderers, toolbox)
        snapshot = replace(snapshot, removable=lambda _path, _digest: False)
        report = await build(replace(plan, steps=steps), snapshot, world, lambda _event: None, halt)
        files = {path: digest for path, digest in report.placed.items() if digest is not None}
        self._sketches.update(files.items())
        standing_in.note(artifacts.folder, self._sketches)
        return files

    def concluded(self, report: Report, sketches: Mapping[str, Digest]) -> Report:
        """The report of a build in which sketches stood in."""
        report.sketches = tuple(sorted(sketches.keys() - report.placed.keys()))
        report.placed = {**sketches, **report.placed}
        report.overtaken = self.overtaken
        report.interrupted = report.interrupted and not self.overtaken
        return report


class _Unlocked(RealWorld):
    """The real world without a lock."""

    def lock(self, lock: Lockfile) -> bytes:
        """Write nothing."""
        del lock
        return b""


def _rendered_here(plan: Plan) -> Iterator[Step]:
    """The steps of a plan that render with open weights."""
    for step in plan.steps:
        match step.recipe.task:
            case Generate(provider=name) if step.verdict.action is Action.RENDER:
                if isinstance(PROVIDERS[name], Installed):
                    yield step


def _standing_in(plan: Plan) -> Iterator[Step]:
    """The steps for which sketches stand in: pictures rendered here, and files derived from them."""
    masters = {step.recipe.asset for step in _rendered_here(plan) if not step.recipe.candidate}
    outputs = set[str]()
    for step in plan.steps:
        recipe = step.recipe
        if recipe.candidate:
            continue
        own = isinstance(recipe.task, Generate) and recipe.asset in masters
        derived = isinstance(recipe.task, Derive) and step.verdict.action is Action.DERIVE
        if own or (derived and _made_of(recipe, masters, outputs)):
            outputs.add(recipe.output)
            yield step


def _made_of(recipe: Recipe, masters: Container[str], outputs: Container[str]) -> bool:
    """Whether a file is made of any of these pictures and files."""
    return any(
        (isinstance(source, MasterOf) and source.asset in masters)
        or (isinstance(source, OutputOf) and source.path in outputs)
        for source in recipe.inputs
    )
