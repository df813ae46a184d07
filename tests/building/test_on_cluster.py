"""What is rendered for nothing is rendered by workers of a cluster, with the weights that they have."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

import distributed
import pytest
from msgspec.structs import replace

from flux2build.building.cluster import Cluster
from flux2build.building.cluster_connection import opened
from flux2build.building.on_cluster import OnCluster
from flux2build.errors import Exit, Flux2BuildError, HaltedError, SystemFault
from flux2build.ledger.journal import Journal
from flux2build.model import Bought, Order
from flux2build.providers.contract import Reference
from flux2build.purchasing.weights.devices import Workers
from flux2build.purchasing.weights.folder import opened as weights_in
from flux2build.purchasing.weights.renderer import WeightsRenderer
from flux2build.purchasing.weights.under_way import UnderWay
from flux2build.session.cluster_worker import WORK, render
from flux2build.storage.index import Index
from flux2build.storage.store import Store
from tests.conftest import Site
from tests.paid_provider import picture
from tests.purchasing.weights.made_up import weights
from tests.purchasing.weights.studios import FAKE, Listening, alive, order, rendered

# Dask leaves files and sockets for the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

T = TypeVar("T")

KLEIN: Final = "flux-2-klein-4b"
SKETCHES: Final = """\
[project]
name = "acme"
[defaults]
width = 96
height = 64
[asset.fox]
prompt = "a red fox"
[asset.house]
prompt = "a house"
refs = [{ asset = "fox" }]
[[asset.house.deliver]]
path = "house-{{ width }}.webp"
widths = [48]
"""


CUT: Final = """\
[project]
name = "acme"
[asset.shot]
source = "shot.png"
[[asset.shot.deliver]]
path = "cut.png"
ops = [{ op = "cutout", model = "bright" }]
[[asset.shot.deliver]]
path = "plain.png"
ops = [{ op = "flip" }]
"""
BRIGHT: Final = '[local.cutout.{}]\npath = "{}"\nmean = [0.0, 0.0, 0.0]\n'
ONNX: Final = Path(__file__).parent / "networks" / "brightness.onnx"


def nanny(folder: Path, klein: Path, further: str = "") -> dict[str, Any]:
    """A machine with a GPU, and a configuration of its own."""
    config = folder.with_suffix(".toml")
    device = '[local]\ndevices = ["cuda:0"]\noffload = "model"\n'
    config.write_text(f'{device}[local.models.{KLEIN}]\npath = "{klein}"\n{further}')
    own = {"FLUX2BUILD_HOME": str(folder), "FLUX2BUILD_CONFIG": str(config)}
    options = {"nthreads": 1, "env": own, "resources": {"GPU": 1}, "host": "127.0.0.1"}
    return {"cls": distributed.Nanny, "options": options}


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """Two machines with GPUs, and the name of some weights that only the second one has."""
    ground = tmp_path_factory.mktemp("farm")
    usual, others = weights(ground / "usual"), weights(ground / "others", further=[None, None])
    machines = {
        0: nanny(ground / "a", others),
        1: nanny(ground / "b", usual, BRIGHT.format("bright", ONNX)),
    }
    scheduler = {
        "cls": distributed.Scheduler,
        "options": {"dashboard": False, "dashboard_address": ":0", "host": "127.0.0.1"},
    }
    with distributed.SpecCluster(machines, scheduler=scheduler, silence_logs=50) as cluster:
        yield cluster, f"local/{KLEIN}@{weights_in(usual).digest(Index(str(ground)))}"


@dataclass
class Studio(Listening):
    """A build that renders on a farm, and what it told."""

    folder: Path
    cluster: Cluster
    resource: str = "GPU"

    async def buy(self, order: Order, *references: Reference) -> Bought:
        """Render an order."""
        renderer = WeightsRenderer(
            provider="local",
            rendering=await OnCluster(self.cluster).rendering(self.resource),
            under_way=UnderWay(Workers(()), self.on_step),
            store=Store(self.folder / "store"),
            journal=Journal(self.folder / "ledger.jsonl"),
            seeds={},
            halt=self.halt,
            left=asyncio.Event(),
        )
        return await rendered(renderer, order, *references)


@asynccontextmanager
async def studio(folder: Path, farm: tuple[Any, str]) -> AsyncIterator[Studio]:
    """A build that is connected with a farm, whose workers render without torch."""
    work = replace(WORK, render=partial(render, command=FAKE))
    address = farm[0].scheduler_address
    told: list[str] = []
    async with opened(
        address, mixed=False, work=work, shared=lambda _digest: False, say=told.append
    ) as cluster:
        yield Studio(folder, cluster)


def run(folder: Path, farm: tuple[Any, str], do: Callable[[Studio], Awaitable[T]]) -> T:
    """Do something in a studio."""

    async def whole() -> T:
        async with studio(folder, farm) as one:
            return await do(one)

    return asyncio.run(whole())


def test_the_worker_with_the_very_weights_renders(tmp_path: Path, farm: tuple[Any, str]) -> None:
    """Another one has other weights, and says so; the receipt names the device that rendered."""
    fox = replace(order("a fox", seed=7), model=farm[1])

    async def three(one: Studio) -> list[Bought]:
        reference = Reference("a.png", picture((64, 64)), "image/png")
        first = await one.buy(fox, reference)
        assert one.steps == [("fox", 1, 2), ("fox", 2, 2)]
        again = (replace(fox, prompt=f"a fox {number}") for number in range(2))
        return [first, *await asyncio.gather(*map(one.buy, again))]

    bought = run(tmp_path, farm, three)

    receipts = [each.receipt.task.split()[1:] for each in bought]
    assert receipts == [["cuda:0", "7", "1"], ["cuda:0", "7", "0"], ["cuda:0", "7", "0"]]
    assert bought[0].receipt.seed == 7


@pytest.mark.parametrize(
    ("prompt", "model", "said"),
    [
        ("a fox", f"local/{KLEIN}@sha256:0", f"can use the weights of `{KLEIN}`"),
        ("a fox", f"local/{KLEIN}", "the digest of the weights of"),
        ("extra: there is no `torch`", None, f"can use the weights of `{KLEIN}`"),
        ("memory: CUDA out of memory", None, "needs more memory"),
        ("killed", None, "ended by signal 9: the last words"),
    ],
)
def test_what_workers_cannot_render_is_said(
    tmp_path: Path, farm: tuple[Any, str], prompt: str, model: str | None, said: str
) -> None:
    """It is the failure of one order, with its remedy and the worker that has it."""
    fox = replace(order(prompt), model=model or farm[1])

    async def failed(one: Studio) -> Flux2BuildError:
        with pytest.raises(Flux2BuildError) as caught:
            await one.buy(fox)
        return caught.value

    error = run(tmp_path, farm, failed)

    (problem,) = error.problems
    assert said in problem.message
    assert error.exit is (Exit.SYSTEM if "weights" in said else Exit.INCOMPLETE)
    if "can use" in said:
        assert len(problem.rows) == 2
        assert "has the digest" in str(problem.rows)
    if error.exit is Exit.INCOMPLETE:
        assert problem.rows[0][0] == "worker"
        assert "of the worker's configuration" in (problem.hint or "")


def test_a_resource_that_nobody_offers_is_said_at_once(
    tmp_path: Path, farm: tuple[Any, str]
) -> None:
    """Dask would wait for a worker that never comes."""

    async def refused(one: Studio) -> SystemFault:
        one.resource = "TPU"
        with pytest.raises(SystemFault) as caught:
            await one.buy(replace(order("a fox"), model=farm[1]))
        return caught.value

    (problem,) = run(tmp_path, farm, refused).problems
    assert "offers `TPU`" in problem.message
    assert "`dask worker ADDRESS --resources TPU=1`" in (problem.hint or "")


def test_nothing_is_handed_out_after_a_halt(tmp_path: Path, farm: tuple[Any, str]) -> None:
    """What has not begun stays undone."""

    async def halted(one: Studio) -> None:
        one.halt.set()
        with pytest.raises(HaltedError):
            await one.buy(replace(order("a fox"), model=farm[1]))

    run(tmp_path, farm, halted)


def test_cancelling_ends_the_process_there(tmp_path: Path, farm: tuple[Any, str]) -> None:
    """A second Ctrl-C does not leave a device busy with what nobody waits for."""

    async def cancelled(one: Studio) -> int:
        before = await one.buy(replace(order("a fox"), model=farm[1]))
        one.stepped.clear()
        hanging = asyncio.ensure_future(one.buy(replace(order("hanging"), model=farm[1])))
        await one.stepped.wait()
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        after = await one.buy(replace(order("a cat"), model=farm[1]))
        assert before.receipt.task.split()[0] != after.receipt.task.split()[0]
        return int(before.receipt.task.split()[0])

    assert not alive(run(tmp_path, farm, cancelled))


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by POSIX signals")
def test_what_a_lost_worker_rendered_is_rendered_again(
    tmp_path: Path, farm: tuple[Any, str]
) -> None:
    """The machine that comes back has the weights, so it is asked again."""
    fox = replace(order(f"once: {tmp_path / 'begun'}"), model=farm[1])

    async def lost(one: Studio) -> Bought:
        rendering = asyncio.ensure_future(one.buy(fox))
        await one.stepped.wait()
        os.kill(farm[0].workers[1].pid, signal.SIGKILL)
        return await rendering

    assert run(tmp_path, farm, lost).receipt.task.split()[1] == "cuda:0"


def test_sketches_are_those_of_one_machine(empty: Site, farm: tuple[Any, str]) -> None:
    """Bytes and lock, with what was drawn before as a reference."""
    empty.write("assets.toml", SKETCHES)
    assert empty.run("build", "--cluster", farm[0].scheduler_address).code == 0
    there = empty.files()
    for name in there:
        if name != "assets.toml":
            empty.folder.joinpath(name).unlink()
    assert empty.run("build").code == 0
    assert empty.files() == there
    assert {"fox.png", "house.png", "house-48.webp", "assets.lock"} <= there.keys()


@pytest.mark.skipif(not find_spec("onnxruntime"), reason="the extra `cutout` is not installed")
@pytest.mark.parametrize("model", ["bright", "dark"])
def test_networks_run_where_they_are(empty: Site, farm: tuple[Any, str], model: str) -> None:
    """A worker that has the very model makes the files; if none has, this machine does, and says so."""
    Path(os.environ["FLUX2BUILD_CONFIG"]).write_text(BRIGHT.format(model, ONNX), "utf-8")
    empty.draw("shot.png")
    empty.write("assets.toml", CUT.replace("bright", model))

    ran = empty.run("build", "--cluster", farm[0].scheduler_address)

    assert (ran.code, {"cut.png", "plain.png"} <= empty.files().keys()) == (0, True)
    said = f"can use the model `{model}`; what takes it is derived here"
    assert (said in ran.err) == (model == "dark")
