"""A pipeline that notes in its first pixel where its weights are: 1 on a device, 2 and 3 offloaded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Self

import numpy as np

__version__ = "0"


class Flux2KleinPipeline:
    """A pipeline without weights."""

    where = 0

    @classmethod
    def from_pretrained(cls, _folder: str, **_options: Any) -> Self:
        """The pipeline, still nowhere."""
        return cls()

    def set_progress_bar_config(self, **_options: Any) -> None:
        """Draw no bar."""

    def to(self, _device: object) -> None:
        """Put everything on a device."""
        self.where = 1

    def enable_model_cpu_offload(self, *, device: object) -> None:
        """Put one model at a time on a device."""
        del device
        self.where = 2

    def enable_sequential_cpu_offload(self, *, device: object) -> None:
        """Put one layer at a time on a device."""
        del device
        self.where = 3

    def unload_lora_weights(self) -> None:
        """Go without any LoRA."""

    def __call__(self, *, width: int, height: int, callback_on_step_end: Any, **_: Any) -> Any:
        """A picture."""
        callback_on_step_end(self, 0, 0, {})
        return SimpleNamespace(images=[np.full((height, width, 3), self.where / 255)])
