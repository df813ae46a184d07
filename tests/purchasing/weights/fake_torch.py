"""What torch says of a machine, of which the variable DEVICES lists the devices besides the CPU."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Final

__version__ = "0"
THERE: Final = os.environ["DEVICES"].split()
ABSENT: Final = {
    "cuda": "Torch not compiled with CUDA enabled",
    "mps": "PyTorch is not linked with support for mps devices",
}
_KINDS: Final = {"cpu", *ABSENT}


class device:  # noqa: N801 - as torch calls it
    """A device by its name."""

    def __init__(self, name: str) -> None:
        self.name, (self.type, _, _) = name, name.partition(":")
        if self.type not in _KINDS:
            raise RuntimeError(f"Expected one of cpu, cuda, mps device type: {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name


class dtype(str):  # noqa: N801, SLOT000 - as torch calls it
    """A precision."""


float32, float16, bfloat16 = (dtype(f"torch.{name}") for name in ("float32", "float16", "bfloat16"))


def empty(_size: int, device: device) -> None:
    """Memory on a device, which must be there."""
    kinds = {"cpu", *(name.partition(":")[0] for name in THERE)}
    if device.type not in kinds:
        raise (AssertionError if device.type == "cuda" else RuntimeError)(ABSENT[device.type])
    if ":" in device.name and device.name not in THERE:
        raise RuntimeError("CUDA error: invalid device ordinal\nCUDA kernel errors might be late")


def manual_seed(seed: int) -> int:
    """A source of numbers."""
    return seed


def get_num_threads() -> int:
    """How many threads it uses."""
    return 1


cuda = SimpleNamespace(
    is_available=lambda: any(name.startswith("cuda") for name in THERE),
    mem_get_info=lambda _device: (1 << 30, 2 << 30),
    get_device_name=lambda _device: "a graphics card",
)
mps = SimpleNamespace(recommended_max_memory=lambda: 3 << 30)
backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: "mps" in THERE))
