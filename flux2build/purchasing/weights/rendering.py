"""The contract of what renders with open weights: the devices of this machine, or those of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from flux2build.purchasing.renderer import LoadReferences
from flux2build.purchasing.weights.request import Rendered, Wanted

OnStep = Callable[[int, int], None]
"""Takes the number of the step that is done, and of all steps."""


class Rendering(Protocol):
    """Renders with open weights."""

    async def render(self, wanted: Wanted, references: LoadReferences, on_step: OnStep) -> Rendered:
        """Render a picture; its references are read once a device is free.

        Raises:
            Flux2BuildError: no picture came of it.
        """
