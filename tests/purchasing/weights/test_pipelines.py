"""Real pipelines with tiny random weights: rendered by real workers, from a spec to the lock.

They need the extra `local`; LOCAL_DEVICE names another device than the CPU.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace
from PIL import Image

from flux2build.digest import Json
from flux2build.errors import Exit
from flux2build.images.provenance.iptc import SourceType
from flux2build.lockfile import Generated, loads
from flux2build.purchasing.weights.failures import WorkerError
from flux2build.purchasing.weights.process import Worker
from flux2build.purchasing.weights.request import Model, Rendered, Request
from tests.conftest import Site
from tests.spawned import flux2build

pytest.importorskip("diffusers", reason="the extra `local` is not installed")
pytest.importorskip("torch", reason="the extra `local` is not installed")

import safetensors.torch

from tests.purchasing.weights import tiny

DEVICE: Final = os.environ.get("LOCAL_DEVICE", "cpu")
SPEC: Final = """\
[project]
name = "acme"
[defaults]
provider = "local"
width = 64
height = 96
[asset.fox]
prompt = "a red fox"
seed = 7
[asset.cat]
prompt = "a blue cat"
format = "jpeg"
[asset.house]
prompt = "a house"
refs = [{ asset = "fox" }]
[asset.all]
prompt = "a fox and a cat in a house"
format = "webp"
steps = 2
refs = [{ asset = "fox" }, { asset = "cat" }, { asset = "house" }]
"""


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for each other take minutes where other tests run beside them."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def klein(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a tiny klein."""
    return tiny.klein(tmp_path_factory.mktemp("weights") / "klein")


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a tiny dev."""
    return tiny.dev(tmp_path_factory.mktemp("weights") / "dev")


def _configured(name: str, folder: Path, devices: Sequence[str] = (DEVICE,)) -> None:
    listed = ", ".join(f'"{device}"' for device in devices)
    text = f'[local]\ndevices = [{listed}]\n[local.models.{name}]\npath = "{folder}"\n'
    Path(os.environ["FLUX2BUILD_CONFIG"]).write_text(text, "utf-8")


def _generated(site: Site) -> dict[str, Generated]:
    lock = loads(site.folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock")
    return {name: block.generated for (name, _), block in lock.blocks.items() if block.generated}


def _request(folder: Path, steps: int = 2) -> Request:
    model = Model(str(folder), "Flux2KleinPipeline", "float32", "none")
    arguments: dict[str, Json] = {
        "prompt": "a fox",
        "width": 64,
        "height": 64,
        "num_inference_steps": steps,
    }
    return Request(model, arguments, seed=7, format="png", references=[])


def test_klein_renders_from_text_and_from_references(empty: Site, klein: Path) -> None:
    """Every picture has its size and format and is marked; then nothing is left to do."""
    _configured("flux-2-klein-4b", klein, [DEVICE, DEVICE])
    empty.write("assets.toml", SPEC)

    ran = empty.run("build")

    assert ran.code == 0, ran.err
    rows = _generated(empty)
    for row in rows.values():
        with Image.open(empty.folder / row.output.path) as image:
            assert (*image.size, (image.format or "").lower()) == (64, 96, row.params["format"])
        assert row.output.source_type == SourceType.TRAINED
        assert row.receipt.seed is not None
        assert {"diffusers", "torch", "transformers"} <= set(row.receipt.task.split())
        assert DEVICE in row.receipt.task
    assert {row.output.path for row in rows.values()} == {
        "fox.png",
        "cat.jpeg",
        "house.png",
        "all.webp",
    }
    assert len({row.output.sha256 for row in rows.values()}) == 4
    assert rows["fox"].receipt.seed == 7
    assert empty.run("check", "--strict").code == 0


def test_dev_renders_from_text_and_from_references(empty: Site, dev: Path) -> None:
    """It takes guidance, which klein does not."""
    _configured("flux-2-dev", dev)
    spec = SPEC.replace('"local"', '"local"\nmodel = "flux-2-dev"\nguidance = 3.5\nsteps = 1')
    empty.write("assets.toml", spec.partition("[asset.all]")[0])

    ran = empty.run("build")

    assert ran.code == 0, ran.err
    assert {row.params["guidance"] for row in _generated(empty).values()} == {3.5}


@pytest.mark.skipif(not importlib.util.find_spec("torchvision"), reason="there is no torchvision")
def test_dev_rewrites_prompts(empty: Site, dev: Path) -> None:
    """Its text encoder does, with any number of references in view, and the lock has what was asked."""
    _configured("flux-2-dev", dev)
    spec = SPEC.replace('"local"', '"local"\nmodel = "flux-2-dev"\nseed = 7\nsteps = 1')
    spec = spec.partition("[asset.all]")[0].replace('"fox" }]', '"fox" }, { asset = "cat" }]')
    empty.write("assets.toml", spec)
    assert empty.run("build").code == 0
    plain = _generated(empty)
    empty.write("assets.toml", spec.replace("steps = 1", "steps = 1\nprompt_upsampling = true"))

    ran = empty.run("build")

    assert ran.code == 0, ran.err
    rewritten = _generated(empty)
    assert [row.prompt for row in rewritten.values()] == [row.prompt for row in plain.values()]
    assert all(rewritten[name].output.sha256 != plain[name].output.sha256 for name in plain)


def test_watch_renders_what_is_saved(empty: Site, klein: Path) -> None:
    """A sketch first, then the picture; the second one by the worker that has the model in memory."""
    _configured("flux-2-klein-4b", klein)
    empty.write("assets.toml", SPEC.partition("[asset.cat]")[0])
    with flux2build(empty.folder, "watch") as process:
        for before, after in (("a red fox", "a blue fox"), ("a blue fox", "a fox")):
            talk = process.until("watching; Ctrl-C ends")
            assert talk.index("sketch   fox.png") < talk.index("render   fox.png")
            assert _generated(empty)["fox"].prompt == before
            assert empty.run("check", "--strict").code == 0
            empty.edit("assets.toml", before, after)
        process.until("sketch   fox.png")
        process.interrupt()
        process.interrupt()
        assert process.ended() == Exit.INTERRUPTED


def test_a_worker_that_is_killed_is_replaced(klein: Path) -> None:
    """What it was rendering is not told as done, and the next request is answered."""
    worker = Worker(DEVICE)

    def kill(_step: int, _steps: int) -> None:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)

    async def killed_then_rendered() -> Rendered:
        try:
            with pytest.raises(WorkerError, match="signal 9"):
                await worker.render(_request(klein, steps=50), kill)
            return await worker.render(_request(klein), _ignored)
        finally:
            await worker.close()

    assert asyncio.run(killed_then_rendered()).picture.startswith(b"\x89PNG")


def test_one_worker_renders_and_refuses_what_comes(tmp_path: Path, klein: Path) -> None:
    """A request and its seed decide the picture; one that fails leaves the worker as it was."""
    worker, request = Worker(DEVICE), _request(klein)

    async def fault(request: Request) -> str:
        with pytest.raises(WorkerError) as caught:
            await worker.render(request, _ignored)
        return f"{caught.value.fault}: {caught.value}"

    async def whole() -> list[str]:
        try:
            first = await worker.render(request, _ignored)
            faults = [await fault(_request(broken)) for broken in _broken(klein, tmp_path)]
            assert await worker.render(request, _ignored) == first
            altered = replace(
                request, loras=[(str(tiny.lora(tmp_path / "x.safetensors")), 1.0, "")]
            )
            assert (await worker.render(altered, _ignored)).picture != first.picture
            assert await worker.render(request, _ignored) == first
            worker.device = "cuda:99"
            return [*faults, await fault(request)]
        finally:
            await worker.close()

    not_numbers, black, cut, device = asyncio.run(whole())

    assert not_numbers == "odd: the model computed values that are not numbers"
    assert black == "odd: it is black all over"
    assert cut.startswith("weights: ")
    assert device.startswith("device: ")


def _broken(klein: Path, folder: Path) -> Iterator[Path]:
    """Weights that compute no numbers, weights of a black picture, and a file that is cut off."""
    for name, value in (("nan", float("nan")), ("black", -9.0), ("cut", None)):
        shutil.copytree(klein, folder / name)
        [file] = folder.glob(f"{name}/vae/*.safetensors")
        if value is None:
            file.write_bytes(file.read_bytes()[:-100])
        else:
            weights = safetensors.torch.load_file(file)
            weights["decoder.conv_out.weight"].zero_()
            weights["decoder.conv_out.bias"].fill_(value)
            safetensors.torch.save_file(weights, file, {"format": "pt"})
        yield folder / name


def _ignored(_step: int, _steps: int) -> None:
    """Let a step pass."""
