"""The contract of renderings with open weights, on devices of this machine or of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from flux2build.purchasing.renderer import LoadReferences
from flux2build.purchasing.weights.request import Rendered, Wanted

OnStep = Callable[[int, int], None]
"""Takes the number of finished steps, and of all steps."""


class Rendering(Protocol):
    """Renders with open weights."""

    async def render(self, wanted: Wanted, references: LoadReferences, on_step: OnStep) -> Rendered:
        """Render a picture; its references are read once a device is free.

        Raises:
            Flux2BuildError: there is no picture.
        """
