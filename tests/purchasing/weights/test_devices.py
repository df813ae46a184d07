"""Which device renders, in which precision, and where weights wait: by what torch says of a machine."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from flux2build.digest import Json
from flux2build.errors import Exit
from flux2build.purchasing.weights.failures import WorkerError, failure
from flux2build.purchasing.weights.process import Worker
from flux2build.purchasing.weights.request import Model, Rendered, Request


@pytest.fixture(autouse=True)
def _libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers find other libraries than the real ones."""
    for name in ("diffusers", "torch"):
        shutil.copy(Path(__file__).with_name(f"fake_{name}.py"), tmp_path / f"{name}.py")
    tmp_path.joinpath("transformers.py").write_text('__version__ = "0"\n', "utf-8")
    path = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))


def _model(dtype: str = "auto", offload: str = "none") -> Model:
    return Model("/weights", "Flux2KleinPipeline", dtype, offload)


def _rendered(device: str, model: Model) -> Rendered:
    """What a worker makes of a request for a small picture."""
    arguments: dict[str, Json] = {
        "prompt": "a fox",
        "width": 16,
        "height": 16,
        "num_inference_steps": 1,
    }
    worker = Worker(device)

    async def whole() -> Rendered:
        try:
            return await worker.render(Request(model, arguments, 7, "png", []), lambda *_: None)
        finally:
            await worker.close()

    return asyncio.run(whole())


@pytest.mark.parametrize(
    ("there", "asked", "dtype", "offload", "used"),
    [
        ("mps", "auto", "auto", "none", ("mps", "bfloat16", 1)),
        ("mps", "mps", "float32", "model", ("mps", "float32", 2)),
        ("mps", "cpu", "auto", "model", ("cpu", "float32", 1)),
        ("cuda:0 cuda:1", "auto", "auto", "sequential", ("cuda", "bfloat16", 3)),
        ("cuda:0 cuda:1", "cuda:1", "float16", "none", ("cuda:1", "float16", 1)),
        ("", "auto", "auto", "sequential", ("cpu", "float32", 1)),
    ],
)
def test_the_best_device_that_is_there(  # noqa: PLR0917 - a row of the table
    monkeypatch: pytest.MonkeyPatch,
    there: str,
    asked: str,
    dtype: str,
    offload: str,
    used: tuple[str, str, int],
) -> None:
    """CUDA before MPS before the CPU; half the precision on all but the CPU, which has all memory."""
    monkeypatch.setenv("DEVICES", there)

    rendered = _rendered(asked, _model(dtype, offload))

    facts = rendered.software.split(", ")
    with Image.open(io.BytesIO(rendered.picture)) as image:
        where = image.getpixel((0, 0))
    assert (facts[3].split()[0], facts[4], where) == (*used[:2], (used[2],) * 3)
    assert (f"offload {offload}" in facts) == (used[2] > 1)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("mps", "PyTorch is not linked with support for mps devices"),
        ("cuda", "Torch not compiled with CUDA enabled"),
        ("tpu", "Expected one of cpu, cuda, mps device type: tpu"),
    ],
)
def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch, asked: str, said: str) -> None:
    """It is named, with what torch says of it and where devices are named."""
    monkeypatch.setenv("DEVICES", "")

    with pytest.raises(WorkerError) as caught:
        _rendered(asked, _model())

    error = failure("fox", caught.value, asked, _model())
    assert error.exit is Exit.SYSTEM
    assert str(error) == f"there is no device `{asked}`: {said}"
    assert "`devices` in `[local]`" in (error.problems[0].hint or "")


@pytest.mark.parametrize(("there", "memory"), [("mps", 3 << 30), ("cuda:0", 2 << 30)])
def test_a_device_is_described(monkeypatch: pytest.MonkeyPatch, there: str, memory: int) -> None:
    """By its name and what memory it has for weights."""
    monkeypatch.setenv("DEVICES", there)

    async def described() -> tuple[str, int]:
        worker = Worker("auto")
        try:
            return await worker.describe()
        finally:
            await worker.close()

    name, size = asyncio.run(described())
    assert (name.split()[0], size) == (there.partition(":")[0], memory)
