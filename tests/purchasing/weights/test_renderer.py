"""Open weights are rendered with by workers: processes that live on, fail alone and are replaced."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest

from flux2build.digest import Digest, of_bytes
from flux2build.errors import Exit, Flux2BuildError, HaltedError
from flux2build.extras import pip_install
from flux2build.ledger import fold
from flux2build.ledger.journal import Journal
from flux2build.model import Bought, Order
from flux2build.providers.contract import Reference
from flux2build.providers.local import PROVIDER
from flux2build.purchasing.weights.devices import Devices, Workers
from flux2build.purchasing.weights.process import COMMAND, Worker
from flux2build.purchasing.weights.renderer import WeightsRenderer
from flux2build.purchasing.weights.request import Model
from flux2build.purchasing.weights.under_way import UnderWay
from flux2build.storage.store import Store
from tests.paid_provider import picture
from tests.purchasing.weights.studios import (
    FAKE,
    Listening,
    alive,
    order,
    rendered,
)

T = TypeVar("T")


@dataclass
class Studio(Listening):
    """A renderer with workers, and what it told."""

    folder: Path
    devices: Sequence[str] = ("cpu",)
    command: Sequence[str] = FAKE
    seeds: dict[Digest, int] = field(default_factory=dict)
    offload: str = "none"
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.workers = Workers([Worker(device, self.command) for device in self.devices])
        self.under_way = UnderWay(self.workers, self.on_step)
        self.renderer = WeightsRenderer(
            provider=PROVIDER.name,
            rendering=Devices(
                provider=PROVIDER,
                workers=self.workers,
                model=lambda name: Model(
                    f"/weights/{name}", "Flux2KleinPipeline", "auto", self.offload
                ),
                lora=lambda name: f"/loras/{name}.safetensors",
                cards=PROVIDER.cards,
            ),
            under_way=self.under_way,
            store=Store(self.folder / "store"),
            journal=Journal(self.folder / "ledger.jsonl"),
            seeds=self.seeds,
            halt=self.halt,
            left=self.left,
        )

    async def buy(self, order: Order, *references: Reference) -> Bought:
        """Render an order."""
        return await rendered(self.renderer, order, *references)

    async def by(self, order: Order) -> tuple[int, str]:
        """The process and the device that render an order."""
        pid, device, *_ = (await self.buy(order)).receipt.task.split()
        return int(pid), device

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do some work, then end the workers."""

        async def whole() -> T:
            try:
                return await work()
            finally:
                await self.under_way.close()
                await self.workers.close()

        return asyncio.run(whole())


def test_a_picture_is_kept_and_noted_for_nothing(tmp_path: Path) -> None:
    """Its bytes are in the store, the receipt tells what rendered it, and each step was told."""
    studio, fox = Studio(tmp_path), order("a fox", seed=7)

    bought = studio.run(lambda: studio.buy(fox, Reference("a.png", picture((64, 64)), "image/png")))

    store, receipt = studio.renderer.store, bought.receipt
    assert of_bytes(store.get(bought.digest)) == bought.digest
    assert (receipt.cost, receipt.paid, receipt.seed) == (Decimal(0), False, 7)
    assert receipt.task.split()[1:] == ["cpu", "7", "1"]
    assert fold(studio.renderer.journal.read()).delivered[fox.digest].receipt == receipt
    assert studio.steps == [("fox", 1, 2), ("fox", 2, 2)]
    assert not studio.renderer.unsettled(fox.digest)


def test_a_worker_lives_on(tmp_path: Path) -> None:
    """What it loaded serves the next order; it ends with the build."""
    studio = Studio(tmp_path)

    async def two() -> tuple[int, int]:
        return (await studio.by(order("a fox")))[0], (await studio.by(order("a cat")))[0]

    first, second = studio.run(two)

    assert first == second
    assert not alive(first)


@pytest.mark.parametrize(
    ("prompt", "code", "said", "hint"),
    [
        ("memory: CUDA out of memory", Exit.INCOMPLETE, "needs more memory", 'offload = "model"'),
        ("extra: there is no `torch`", Exit.SYSTEM, "extra: there is no `torch`", "pip install"),
        ("device: no CUDA", Exit.SYSTEM, "no device `cuda:0`: no CUDA", "`devices`"),
        ("weights: cut off", Exit.SYSTEM, "cannot be loaded: cut off", "fetch"),
        ("odd: it is black", Exit.INCOMPLETE, "no picture came of `fox`: it is black", "float32"),
        ("library: KeyError", Exit.INCOMPLETE, "`fox` cannot be rendered: KeyError", ""),
        ("killed", Exit.INCOMPLETE, "ended by signal 9: the last words", "build again"),
    ],
)
def test_a_failure_is_the_failure_of_one_order(
    tmp_path: Path, prompt: str, code: Exit, said: str, hint: str
) -> None:
    """It has its exit code and its remedy, nothing of it is kept, and the next order is rendered."""
    studio = Studio(tmp_path, devices=["cuda:0"])

    async def two() -> tuple[Flux2BuildError, int]:
        before = await studio.by(order("a fox"))
        with pytest.raises(Flux2BuildError) as caught:
            await studio.buy(order(prompt))
        after = await studio.by(order("a cat"))
        freed = prompt.startswith(("memory", "killed"))
        assert freed == (before != after)
        return caught.value, len(list(studio.renderer.store.digests()))

    error, kept = studio.run(two)

    (problem,) = error.problems
    assert (error.exit, kept) == (code, 1)
    assert said in problem.message
    assert hint in (problem.hint or "")


def test_memory_that_cannot_be_offloaded(tmp_path: Path) -> None:
    """On the CPU, or with everything offloaded, only a smaller picture helps."""
    studio = Studio(tmp_path, devices=["cpu"])
    with pytest.raises(Flux2BuildError) as caught:
        studio.run(lambda: studio.buy(order("memory: no")))

    assert (caught.value.problems[0].hint or "").startswith("render a smaller size")


def test_a_worker_may_print_what_it_likes(tmp_path: Path) -> None:
    """Libraries draw bars of any length; nobody waits for them."""
    studio = Studio(tmp_path)

    assert studio.run(lambda: studio.by(order("noisy")))


def test_two_devices_render_at_once(tmp_path: Path) -> None:
    """Each has a process of its own, and orders that wait take whichever is free."""
    studio = Studio(tmp_path, devices=["cuda:0", "cuda:1"])

    async def four() -> list[tuple[int, str]]:
        return await asyncio.gather(*(studio.by(order(f"fox {n}")) for n in range(4)))

    processes = set(studio.run(four))

    assert {device for _, device in processes} == {"cuda:0", "cuda:1"}
    assert len(processes) == 2


def test_cancelling_ends_the_process(tmp_path: Path) -> None:
    """A second Ctrl-C does not wait for a picture that takes minutes."""
    studio = Studio(tmp_path)

    async def cancelled() -> int:
        pid, _ = await studio.by(order("a fox"))
        studio.stepped.clear()
        rendering = asyncio.ensure_future(studio.buy(order("hanging")))
        await studio.stepped.wait()
        rendering.cancel()
        await asyncio.gather(rendering, return_exceptions=True)
        assert rendering.cancelled()
        assert not alive(pid)
        return pid

    assert studio.run(cancelled)


def test_what_is_left_goes_on_unless_it_is_stopped(tmp_path: Path) -> None:
    """A later build waits for the same rendering; what waits for a worker is not begun for nobody."""
    studio, gate, fox = Studio(tmp_path), tmp_path / "gate", order("a fox")
    os.mkfifo(gate)
    gated, stopped = order(f"gated {gate}"), order("stopped")

    async def left(order: Order) -> None:
        studio.stepped.clear()
        buying = [asyncio.ensure_future(studio.buy(each)) for each in (order, fox)]
        await studio.stepped.wait()
        studio.left.set()
        outcomes = await asyncio.gather(*buying, return_exceptions=True)
        assert [type(each) for each in outcomes] == [HaltedError, HaltedError]
        studio.left.clear()

    async def whole() -> None:
        before, _ = await studio.by(order("a cat"))
        await left(gated)
        studio.under_way.keep({gated.digest})
        opening = asyncio.create_task(asyncio.to_thread(gate.write_text, "open"))
        assert await studio.by(gated) == (before, "cpu")
        await opening
        await left(stopped)
        studio.under_way.keep(())
        assert await studio.by(fox) == (before, "cpu")

    studio.run(whole)


def test_nothing_is_rendered_after_a_halt(tmp_path: Path) -> None:
    """An order that waits for its turn when the build is halted is not rendered."""
    studio = Studio(tmp_path)
    studio.halt.set()

    with pytest.raises(HaltedError):
        studio.run(lambda: studio.buy(order("a fox")))


def test_a_seed_is_drawn_once(tmp_path: Path) -> None:
    """An order without a seed has the one that was drawn for it before, else a new one."""
    fox = order("a fox")
    studio, again = Studio(tmp_path), Studio(tmp_path, seeds={fox.digest: 11})

    first = studio.run(lambda: studio.buy(fox)).receipt
    second = again.run(lambda: again.buy(fox)).receipt

    assert first.seed is not None
    assert first.task.split()[2] == str(first.seed)
    assert (second.seed, second.task.split()[2]) == (11, "11")


@pytest.mark.skipif(bool(importlib.util.find_spec("diffusers")), reason="the extra is installed")
def test_a_worker_without_its_libraries_says_so(tmp_path: Path) -> None:
    """The real program starts without the extra, and names what it lacks."""
    studio = Studio(tmp_path, command=COMMAND)
    with pytest.raises(Flux2BuildError) as caught:
        studio.run(lambda: studio.buy(order("a fox")))

    (problem,) = caught.value.problems
    assert caught.value.exit is Exit.SYSTEM
    assert "there is no `diffusers`" in problem.message
    assert problem.hint == f"`{pip_install('local')}`"


def test_a_worker_ends_with_its_build() -> None:
    """Whatever becomes of the build, its end of the pipe is closed, and that ends the worker."""

    async def closed() -> int:
        process = await asyncio.create_subprocess_exec(*COMMAND, stdin=asyncio.subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.close()
        return await process.wait()

    assert asyncio.run(closed()) == 0
