"""sketch, the provider inside flux2build: free, offline, without a key.

It draws a sketch: a stand-in of the right size and format, in the prompt's
colours, with the prompt as its caption and the references as thumbnails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from flux2build.images.provenance.iptc import SourceType
from flux2build.model import Order
from flux2build.providers.capabilities import FREE, Card
from flux2build.providers.contract import Embedded, Reference

_SIDE: Final = 1024
_SHAPE: Final = frozenset({"width", "height", "format"})
_GROUND: Final = frozenset({"ground", "framed"})

_CARD: Final = Card(
    model="sketch",
    params=_SHAPE | {"seed"},
    ignores=frozenset({
        "disable_pup", "grounding", "guidance", "loras", "prompt_upsampling", "safety_tolerance",
        "steps",
    }),
    shapes=True,
    grounds=True,
    references=10,
    formats=("png", "jpeg", "webp"),
    min_side=16,
    max_side=8192,
    max_pixels=8192 * 8192,
    price=FREE,
    source_type=SourceType.ALGORITHMIC.value,
    note="draws a free sketch to lay out pages with; nothing is rendered or sent",
)  # fmt: skip


class Sketch:
    """Draws sketches; the same order always gives the same bytes."""

    name = "sketch"
    default_model = _CARD.model
    cards: Mapping[str, Card] = {_CARD.model: _CARD}

    def draw(self, order: Order, references: Sequence[Reference]) -> bytes:
        """Draw the sketch that stands in for an order's picture."""
        from flux2build.images.colour.srgb import from_hex
        from flux2build.providers.sketch.drawing import picture
        from flux2build.providers.sketch.key_colour import KeyColour

        ground = order.params.get("ground")
        framed = bool(order.params.get("framed"))
        key = KeyColour(from_hex(ground), figures=not framed) if isinstance(ground, str) else None
        return picture(
            order.prompt,
            _whole(order, "width"),
            _whole(order, "height"),
            str(order.params.get("format", "png")),
            _token(order),
            [(reference.name, reference.data) for reference in references],
            key,
        )


def _token(order: Order) -> str:
    """The seed of the scene: the order without its size, format and ground, which leave it as it is."""
    params = {key: value for key, value in order.params.items() if key not in _SHAPE | _GROUND}
    return replace(order, params=params).digest


def _whole(order: Order, key: str) -> int:
    value = order.params.get(key, _SIDE)
    if isinstance(value, int | float):
        return int(value)
    raise TypeError(f"`{key}` is a number of pixels, not {value!r}")


PROVIDER: Final[Embedded] = Sketch()
