"""The libraries that run networks, ncnn and ONNX Runtime; only a process of its own imports them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

Facts = Mapping[str, Any]
Picture = tuple[str, tuple[int, int], bytes]
"""Mode, width and height, and pixels."""

_PLAIN: Final = "31=96"
"""The setting of an ncnn layer that turns off Winograd's method and large matrix products."""
_SCALES: Final = range(1, 9)
_SIZES: Final = range(16, 4097)
"""The sides in pixels of a model's input; each pixel takes 12 bytes, and far more inside."""


class Failure(Exception):  # noqa: N818 - it travels as a message
    """The reason why there is no picture: `model` if another file is needed, else `library`."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


def made(facts: Facts, pixels: bytes) -> Picture:
    """The result of a network for a picture.

    Raises:
        Failure: nothing.
    """
    picture = Image.frombytes("RGB", tuple(facts["size"]), pixels)
    if facts["engine"] == "ncnn":
        return _larger(_ncnn(*facts["paths"], facts["threads"]), picture)
    return _mask(_onnx(*facts["paths"], facts["threads"]), picture, facts["settings"])


@lru_cache(maxsize=1)
def _ncnn(layers: str, weights: str, threads: int) -> Any:
    """A network of ncnn; only the last one stays loaded."""
    import ncnn

    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = threads
    # Larger ones save a third of the time, and take three times the memory.
    net.opt.use_winograd63_convolution = net.opt.use_winograd43_convolution = False
    if net.load_param_mem(_frugal(Path(layers).read_bytes())) or net.load_model(weights):
        raise Failure("model", "ncnn cannot read it")
    if len(net.input_names()) != 1 or len(net.output_names()) != 1:
        raise Failure("model", "it must have one input and one output")
    return net


def _frugal(layers: bytes) -> str:
    """The layers, with the least memory for those that work on the larger picture."""
    lines, larger = layers.decode("ascii", "replace").splitlines(), False
    for at, line in enumerate(lines):
        larger = larger or line.startswith(("Interp", "PixelShuffle"))
        if larger and line.startswith("Convolution "):
            lines[at] = f"{line} {_PLAIN}"
    return "\n".join((*lines, ""))


def _larger(net: Any, picture: Image.Image) -> Picture:
    import ncnn

    colours = np.asarray(picture, np.float32).transpose(2, 0, 1) / 255
    colours = np.ascontiguousarray(colours)  # ncnn reads this memory directly, so it must stay
    run = net.create_extractor()
    run.input(net.input_names()[0], ncnn.Mat(colours))
    code, answer = run.extract(net.output_names()[0])
    if code:
        raise Failure("library", f"ncnn ends with {code}")
    result = np.array(answer)
    wide, high = picture.size
    scale = next((k for k in _SCALES if result.shape == (3, high * k, wide * k)), None)
    if scale is None:
        raise Failure(
            "model", f"it makes {result.shape} of {wide}x{high} pixels, which is not a scale"
        )
    _refuse_odd(result)
    bytes_of = (result.clip(0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return "RGB", (wide * scale, high * scale), bytes_of.tobytes()


@lru_cache(maxsize=1)
def _onnx(path: str, threads: int) -> Any:
    """A session of ONNX Runtime; only the last one stays loaded.

    It gets bytes instead of a path, so that it cannot read further files.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    options.use_deterministic_compute = True
    try:
        session = onnxruntime.InferenceSession(
            Path(path).read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its errors have no common class
        raise Failure("model", f"ONNX Runtime cannot read it: {error}") from error
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type != "tensor(float)":
        raise Failure("model", "it must have one input of floats: 1, 3, height, width")
    return session


def _mask(session: Any, picture: Image.Image, settings: Mapping[str, Any]) -> Picture:
    """How much of each pixel is figure, at the size of the model."""
    expected = session.get_inputs()[0]
    high, wide = (
        side if isinstance(side, int) else settings["size"] for side in expected.shape[2:]
    )
    deep = expected.shape[1]
    if (isinstance(deep, int) and deep != 3) or not (wide in _SIZES and high in _SIZES):
        raise Failure("model", f"it takes {expected.shape}, and no colours of a usual size")
    small = picture.resize((wide, high), Image.Resampling.LANCZOS)
    colours = np.asarray(small, np.float32) / 255
    mean, std = (np.asarray(settings[name], np.float32) for name in ("mean", "std"))
    tensor = ((colours - mean) / std).transpose(2, 0, 1)[None]
    try:
        answer = session.run([session.get_outputs()[0].name], {expected.name: tensor})[0]
    except Exception as error:  # likewise
        raise Failure("library", str(error)) from error
    result = np.asarray(answer, np.float32)
    if result.ndim not in (3, 4) or result.shape[0] != 1 or min(result.shape) < 1:
        raise Failure("model", f"its first output is {result.shape}, and no mask")
    _refuse_odd(result)
    return _grey(result.reshape(-1, *result.shape[-2:])[0])


def _grey(mask: Any) -> Picture:
    """A mask as a picture: stretched from nothing to all, as rembg does; logits become shares first."""
    if mask.min() < -0.01 or mask.max() > 1.01:
        mask = 1 / (1 + np.exp(-mask))
    least, most = mask.min(), mask.max()
    if most - least > 0.01:
        mask = (mask - least) / (most - least)
    levels = (mask.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return "L", (levels.shape[1], levels.shape[0]), levels.tobytes()


def _refuse_odd(values: Any) -> None:
    if not np.isfinite(values).all():
        raise Failure("library", "what came out is not a number")
