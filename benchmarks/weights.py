"""How fast open weights render: seconds for a picture, and the device's memory.

    python benchmarks/weights.py                    # klein 4B at its real size, on CUDA
    python benchmarks/weights.py --device cpu --tiny
    python benchmarks/weights.py --tests            # the tests of real pipelines there, first
    python benchmarks/weights.py --lora --scarce    # a LoRA, and a device with little room

It needs the extra `local`. Nothing is fetched: the weights are random, in an architecture made
from configuration. A model takes as long with them, and its pictures show nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import diffusers
import safetensors
import safetensors.torch
import torch
import transformers
from PIL import Image
from table import machine, markdown

from flux2build.purchasing.weights.failures import WorkerError, failure
from flux2build.purchasing.weights.process import Worker
from flux2build.purchasing.weights.request import Model, Request

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.purchasing.weights import tiny  # noqa: E402 - the tests are no package

LORA = "lora.safetensors"
"""The file beside the weights that holds a LoRA for them."""
RANK = 16
ROOM = 12
"""GiB that are left where memory is scarce: less than klein 4B takes, more than with offloading."""
TESTS = "tests/purchasing/weights/test_pipelines.py"


def klein_4b(folder: Path, device: str) -> Path:
    """The architecture of klein 4B with random weights in bfloat16: 16 GB."""
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(device):
        text = transformers.Qwen3Config(
            vocab_size=151_936,
            hidden_size=2560,
            intermediate_size=9728,
            num_hidden_layers=36,
            num_attention_heads=32,
            num_key_value_heads=8,
            head_dim=128,
            tie_word_embeddings=True,
        )
        pipeline = diffusers.Flux2KleinPipeline(
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
            vae=diffusers.AutoencoderKLFlux2(),
            text_encoder=transformers.Qwen3ForCausalLM(text),
            tokenizer=tiny.tokenizer(),
            transformer=diffusers.Flux2Transformer2DModel(
                num_layers=5,
                num_single_layers=20,
                num_attention_heads=24,
                joint_attention_dim=3 * 2560,
                guidance_embeds=False,
            ),
            is_distilled=True,
        )
    torch.set_default_dtype(torch.float32)
    parts = (pipeline.transformer, pipeline.text_encoder, pipeline.vae)
    counts = [sum(each.numel() for each in part.parameters()) for part in parts]
    print("parameters: " + ", ".join(f"{count / 1e9:.2f} billion" for count in counts), flush=True)
    pipeline.save_pretrained(folder)
    return folder


def lora(weights: Path) -> int:
    """Write a random LoRA for every attention layer of a transformer; return its bytes."""
    tensors = {}
    for file in weights.glob("transformer/*.safetensors"):
        with safetensors.safe_open(file, "pt") as layers:
            for name in layers.keys():  # noqa: SIM118 - it is no mapping
                shape = layers.get_slice(name).get_shape()
                if ".attn." in name and name.endswith(".weight") and len(shape) == 2:
                    layer = f"transformer.{name.removesuffix('.weight')}.lora"
                    rank = min(RANK, *shape)
                    tensors[f"{layer}_A.weight"] = torch.randn(rank, shape[1]) / 100
                    tensors[f"{layer}_B.weight"] = torch.randn(shape[0], rank) / 100
    file = weights.parent / LORA
    safetensors.torch.save_file(tensors, file)
    return file.stat().st_size


@dataclass
class Measured:
    """One way to render, and what it took."""

    what: str
    references: int = 0
    offload: str = "none"
    lora: bool = False
    first: float = 0
    """Seconds of the first picture, the start of the process and the reading of the weights too."""
    later: list[float] = field(default_factory=list)
    memory: float = 0
    """GiB that the worker takes on the device at the peak; on the CPU its largest resident set."""
    software: str = ""


async def measure(way: Measured, folder: Path, asked: argparse.Namespace) -> None:
    """Render some pictures with one worker."""
    worker = Worker(asked.device)
    side = 64 if asked.tiny else 1024
    model = Model(str(folder), "Flux2KleinPipeline", asked.dtype, way.offload)
    arguments = {"prompt": "a fox", "width": side, "height": side, "num_inference_steps": 4}
    references = [_picture(side)] * way.references
    loras = [(str(folder.parent / LORA), 1.0, "")] if way.lora else []
    before, peak = _taken(asked.device), Peak(asked.device)
    peak.start()
    try:
        for seed in range(asked.pictures + 1):
            request = Request(model, arguments, seed, "png", references, loras)
            began = time.perf_counter()
            try:
                rendered = await worker.render(request, lambda _step, _steps: None)
                way.software = rendered.software
            except WorkerError as error:
                if error.fault != "odd":  # random weights may compute anything, as quickly
                    raise
                way.software = str(error)
            way.later.append(time.perf_counter() - began)
        way.first, *way.later = way.later
        way.memory = peak.ended() - before or _largest(worker)
    finally:
        await worker.close()


def _picture(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(file, "PNG")
    return file.getvalue()


class Peak(threading.Thread):
    """Looks at a device all the time, for the most memory that is taken."""

    def __init__(self, device: str) -> None:
        super().__init__(daemon=True)
        self._device, self._over, self._most = device, threading.Event(), 0.0

    def run(self) -> None:
        """Look until it is over."""
        while not self._over.wait(0.05):
            self._most = max(self._most, _taken(self._device))

    def ended(self) -> float:
        """GiB at the peak; nothing is looked at any more."""
        self._over.set()
        self.join()
        return self._most


def _taken(device: str) -> float:
    """GiB that are taken on a device by all processes; none on the CPU."""
    if not device.startswith("cuda"):
        return 0
    words = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return float(listed[torch.device(device).index or 0]) / 1024


def _largest(worker: Worker) -> float:
    """GiB of a worker's largest resident set."""
    status = Path(f"/proc/{worker.pid}/status").read_text("utf-8")
    return next(
        int(line.split()[1]) / 2**20 for line in status.splitlines() if line.startswith("VmHWM")
    )


def scarce(folder: Path, asked: argparse.Namespace) -> list[Measured]:
    """Render where memory is scarce: what is said without offloading, and that its hint helps."""
    free = torch.cuda.mem_get_info(asked.device)[0]
    taken = torch.empty(free - ROOM * 2**30, dtype=torch.uint8, device=asked.device)
    print(f"{ROOM} GiB are left on {asked.device}", flush=True)
    with_less = Measured(f'text, {ROOM} GiB left, `offload = "model"`', offload="model")
    try:
        asyncio.run(measure(Measured("text"), folder, asked))
    except WorkerError as error:
        model = Model(str(folder), "Flux2KleinPipeline", asked.dtype, "none")
        said = failure("fox", error, asked.device, model)
        print(f"{said.exit!r}: {said}; {said.problems[0].hint}", flush=True)
        asyncio.run(measure(with_less, folder, asked))
        return [with_less]
    finally:
        del taken
        torch.cuda.empty_cache()
    raise SystemExit("memory sufficed where it should not have")


def run_tests(device: str) -> None:
    """The tests of real pipelines, on a device."""
    words = [sys.executable, "-m", "pytest", "-n0", "-q", "-W", "default", "--durations=5", TESTS]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "LOCAL_DEVICE": device, "PYTHONPATH": path}
    print(f"{TESTS} on {device}", flush=True)
    status = subprocess.run(words, cwd=ROOT, env=environment, timeout=200, check=False).returncode
    if status:
        raise SystemExit("the tests failed")


def row(way: Measured) -> list[str]:
    """A row of the table."""
    seconds = statistics.median(way.later or [way.first])
    return [way.what, f"{seconds:.2f} s", f"{way.first:.1f} s", f"{way.memory:.1f} GiB"]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--pictures", type=int, default=3, help="after the first one")
    parser.add_argument("--offload", action="store_true", help="with offloading alone; it is slow")
    parser.add_argument("--tiny", action="store_true", help="the tests' weights instead")
    parser.add_argument("--tests", action="store_true", help="run the tests on the device, first")
    parser.add_argument("--lora", action="store_true", help="with a random LoRA, too")
    parser.add_argument(
        "--scarce", action="store_true", help="with most memory taken, too; on CUDA"
    )
    asked = parser.parse_args()
    if asked.tests:
        run_tests(asked.device)
    ways = [Measured("text"), Measured("one reference", 1), Measured("four references", 4)]
    if asked.offload:
        ways = [
            Measured(f'text, `offload = "{offload}"`', offload=offload)
            for offload in ("model", "sequential")
        ]
    if asked.lora:
        ways.append(Measured("text, with a LoRA", lora=True))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "weights")
        began = time.perf_counter()
        tiny.klein(folder) if asked.tiny else klein_4b(folder, asked.device)
        print(f"weights made in {time.perf_counter() - began:.0f} s", flush=True)
        if asked.lora:
            print(f"a LoRA of {lora(folder) / 2**20:.0f} MiB", flush=True)
        torch.cuda.empty_cache()
        for way in ways:
            asyncio.run(measure(way, folder, asked))
            print(f"{row(way)} {way.later}", flush=True)
        if asked.scarce:
            ways += scarce(folder, asked)
    side = "64 by 64" if asked.tiny else "1024 by 1024"
    print(f"\n{machine()}; {side} pixels, 4 steps, random weights; {ways[0].software}\n")
    for line in markdown(["", "a picture", "the first", "memory"], [row(way) for way in ways]):
        print(line)


if __name__ == "__main__":
    main()
