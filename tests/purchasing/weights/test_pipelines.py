"""Real pipelines with tiny random weights: rendered by real workers, from a spec to the lock.

They need the extra `local`; LOCAL_DEVICE names another device than the CPU.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from flux2build.images.provenance.iptc import SourceType
from flux2build.lockfile import Generated, loads
from flux2build.purchasing.weights.failures import WorkerError
from flux2build.purchasing.weights.process import Worker
from flux2build.purchasing.weights.request import Model, Rendered, Request
from tests.conftest import Site

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
    arguments = {"prompt": "a fox", "width": 64, "height": 64, "num_inference_steps": steps}
    return Request(model, arguments, seed=7, format="png", references=[])


def _rendered(worker: Worker, *requests: Request) -> list[Rendered]:
    async def all_of_them() -> list[Rendered]:
        try:
            return [await worker.render(each, lambda _step, _steps: None) for each in requests]
        finally:
            await worker.close()

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("devices", [[DEVICE], [DEVICE, DEVICE]], ids=["one", "two"])
def test_klein_renders_from_text_and_from_references(
    empty: Site, klein: Path, devices: list[str]
) -> None:
    """Every picture has its size and format and is marked; then nothing is left to do."""
    _configured("flux-2-klein-4b", klein, devices)
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


def test_a_worker_that_is_killed_is_replaced(klein: Path) -> None:
    """What it was rendering is not told as done, and the next request is answered."""
    worker = Worker(DEVICE)

    def kill(_step: int, _steps: int) -> None:
        assert worker._process is not None
        worker._process.send_signal(signal.SIGKILL)

    async def killed_then_rendered() -> Rendered:
        try:
            with pytest.raises(WorkerError, match="signal 9"):
                await worker.render(_request(klein, steps=50), kill)
            return await worker.render(_request(klein), lambda _step, _steps: None)
        finally:
            await worker.close()

    assert asyncio.run(killed_then_rendered()).picture.startswith(b"\x89PNG")


def test_a_seed_is_what_decides(klein: Path) -> None:
    """In one process on one device, the same request gives the same picture."""
    request = _request(klein)
    one, again = _rendered(Worker(DEVICE), request, request)

    assert one == again


@pytest.mark.parametrize(
    ("value", "fault", "said"),
    [(float("nan"), "odd", "not numbers"), (-9.0, "odd", "black"), (None, "weights", "")],
    ids=["nan", "black", "cut"],
)
def test_weights_that_are_broken(
    tmp_path: Path, klein: Path, value: float | None, fault: str, said: str
) -> None:
    """No picture is made of values that are not numbers, all black, or cut off."""
    folder = tmp_path / "broken"
    shutil.copytree(klein, folder)
    [file] = folder.glob("vae/*.safetensors")
    if value is None:
        file.write_bytes(file.read_bytes()[:-100])
    else:
        weights = safetensors.torch.load_file(file)
        weights["decoder.conv_out.weight"].zero_()
        weights["decoder.conv_out.bias"].fill_(value)
        safetensors.torch.save_file(weights, file, {"format": "pt"})

    with pytest.raises(WorkerError, match=said) as caught:
        _rendered(Worker(DEVICE), _request(folder))

    assert caught.value.fault == fault


def test_a_device_that_is_not_there(klein: Path) -> None:
    """It is told by its name."""
    with pytest.raises(WorkerError) as caught:
        _rendered(Worker("cuda:99"), _request(klein))

    assert caught.value.fault == "device"
