"""Loads and calls the pipelines of diffusers; only a worker imports this, and so torch."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import diffusers
import numpy as np
import torch
import transformers
from PIL import Image

from flux2build.digest import Json
from flux2build.images.decode import decode
from flux2build.images.encode import encode, flatten
from flux2build.images.provenance.iptc import SourceType

OnStep = Callable[[int, int], None]

_MEMORY: Final = ("out of memory", "can't allocate memory", "not enough memory", "bad alloc")
"""The words of errors about memory, in lower case; libraries have no class for them."""


class Failure(Exception):  # noqa: N818 - it becomes a message
    """A request did not return a picture."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


def rendered(
    facts: Mapping[str, Any], references: Sequence[bytes], on_step: OnStep
) -> tuple[bytes, str]:
    """The file of a picture, and the software that rendered it.

    Raises:
        Failure: the request did not return a picture.
    """
    device = _device(facts["device"])
    dtype = _dtype(facts["model"]["dtype"], device)
    pipeline = _LOADED.pipeline(facts["model"], device, dtype)
    _LOADED.adapt(facts["loras"])
    with _failing("library"):
        pixels = _called(pipeline, device, facts, references, on_step)
    image = Image.fromarray(_whole(pixels))
    return encode(image, _encoding(facts["format"])), _software(device, dtype, facts["model"])


def described(device: str) -> dict[str, Json]:
    """A device by its name, and the bytes of its memory.

    Raises:
        Failure: there is no such device.
    """
    found = _device(device)
    match found.type:
        case "cuda":
            memory = torch.cuda.mem_get_info(found)[1]
        case "mps":
            memory = torch.mps.recommended_max_memory()
        case _:
            memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"device": _named(found), "memory": memory}


class _Loaded:
    """The pipeline in memory; another one replaces it."""

    def __init__(self) -> None:
        self._key: object = None
        self._pipeline: Any = None
        self._loras: Sequence[tuple[str, float, str]] = []

    def pipeline(self, model: Mapping[str, Any], device: torch.device, dtype: torch.dtype) -> Any:
        """The pipeline of a model on a device."""
        key = (dict(model), device, dtype)
        if self._key != key:
            self._loras = []
            self._key = self._pipeline = None  # the old one is freed before the new one is read
            with _failing("weights"):
                self._pipeline = _read(model, device, dtype)
            self._key = key
        return self._pipeline

    def adapt(self, loras: Sequence[tuple[str, float, str]]) -> None:
        """Replace the LoRA of the pipeline."""
        if loras == self._loras:
            return
        with _failing("weights"):
            self._pipeline.unload_lora_weights()
            self._loras = []
            for number, (file, _, _) in enumerate(loras):
                path = Path(file)
                self._pipeline.load_lora_weights(
                    str(path.parent),
                    weight_name=path.name,
                    adapter_name=f"lora{number}",
                    use_safetensors=True,
                    local_files_only=True,
                )
            if loras:
                names = [f"lora{number}" for number in range(len(loras))]
                self._pipeline.set_adapters(names, [scale for _, scale, _ in loras])
            self._loras = loras


_LOADED: Final = _Loaded()


def _read(model: Mapping[str, Any], device: torch.device, dtype: torch.dtype) -> Any:
    pipeline = getattr(diffusers, model["pipeline"]).from_pretrained(
        model["folder"],
        torch_dtype=dtype,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    match _offload(model, device):
        case "model":
            pipeline.enable_model_cpu_offload(device=device)
        case "sequential":
            pipeline.enable_sequential_cpu_offload(device=device)
        case _:
            pipeline.to(device)
    return pipeline


def _called(
    pipeline: Any,
    device: torch.device,
    facts: Mapping[str, Any],
    references: Sequence[bytes],
    on_step: OnStep,
) -> Any:
    steps = facts["arguments"]["num_inference_steps"]

    def after(_pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        on_step(step + 1, steps)
        return tensors

    images = [flatten(decode(data, "reference"), "#ffffff") for data in references]
    # On the CPU, so that a seed means the same noise on every device. It is the generator
    # that is used where none is named, too: for the words of a prompt that is rewritten.
    generator = torch.manual_seed(facts["seed"])
    answer = pipeline(
        **_worded(pipeline, device, facts["arguments"], images),
        image=images or None,
        generator=generator,
        callback_on_step_end=after,
        output_type="np",
    )
    return answer.images[0]


def _worded(
    pipeline: Any,
    device: torch.device,
    arguments: Mapping[str, Json],
    images: Sequence[Image.Image],
) -> dict[str, Json]:
    """The arguments, with the prompt rewritten on request.

    A pipeline that rewrites prompts itself takes several references for those of several prompts.
    """
    worded = dict(arguments)
    if temperature := worded.pop("caption_upsample_temperature", None):
        [worded["prompt"]] = pipeline.upsample_prompt(
            worded["prompt"],
            images=[list(images)] if images else None,
            temperature=temperature,
            device=device,
        )
    return worded


def _whole(pixels: Any) -> Any:
    """The pixels in bytes.

    Raises:
        Failure: they are not a picture.
    """
    if not np.isfinite(pixels).all():
        raise Failure("odd", "the model computed values that are not numbers")
    whole = (pixels * 255).round().astype(np.uint8)
    if not whole.any():
        raise Failure("odd", "it is black all over")
    return whole


def _encoding(form: str) -> dict[str, Json]:
    """The encoding of a master: the best of its format, marked as generated."""
    quality = {} if form == "png" else {"quality": 95}
    return {"format": form, "source_type": SourceType.TRAINED, **quality}


def _device(name: str) -> torch.device:
    """The device by that name; `auto` is the best there is.

    Raises:
        Failure: there is none.
    """
    if name == "auto":
        cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
        name = "cuda" if cuda else "mps" if mps else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (AssertionError, RuntimeError) as error:
        if _out_of_memory(error):
            raise Failure("memory", str(error)) from error
        raise Failure("device", str(error).partition("\n")[0]) from error
    return device


def _dtype(name: str, device: torch.device) -> torch.dtype:
    """The precision by that name; `auto` is the device's fastest one."""
    if name == "auto":
        name = "float32" if device.type == "cpu" else "bfloat16"
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _offload(model: Mapping[str, Any], device: torch.device) -> str:
    """How much of a model stays in main memory; on the CPU, all of it does."""
    return "none" if device.type == "cpu" else str(model["offload"])


def _named(device: torch.device) -> str:
    cuda = device.type == "cuda"
    return f"{device} {torch.cuda.get_device_name(device) if cuda else platform.machine()}"


def _software(device: torch.device, dtype: torch.dtype, model: Mapping[str, Any]) -> str:
    """The rendering software, as a receipt records it."""
    facts = [
        f"diffusers {diffusers.__version__}",
        f"torch {torch.__version__}",
        f"transformers {transformers.__version__}",
        _named(device),
        str(dtype).removeprefix("torch."),
        f"{torch.get_num_threads()} threads",
    ]
    offload = _offload(model, device)
    return ", ".join(facts + ([f"offload {offload}"] if offload != "none" else []))


@contextmanager
def _failing(fault: str) -> Iterator[None]:
    """Turn any error of a library into a failure.

    Raises:
        Failure: a library raised an error.
    """
    try:
        yield
    except Failure:
        raise
    except Exception as error:
        kind = "memory" if _out_of_memory(error) else fault
        raise Failure(kind, f"{type(error).__name__}: {error}") from error


def _out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _MEMORY)
