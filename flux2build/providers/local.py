"""local, the provider of open weights on this machine: free, and private.

The user's configuration lists the weights; a model's abilities follow from its pipeline. The
parameters are those of diffusers, by flux2build's names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flux2build.digest import Json
from flux2build.model import Order
from flux2build.providers.capabilities import FREE, Card
from flux2build.providers.contract import Installed

_ARGUMENTS: Final = {
    "width": "width",
    "height": "height",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
}
_UPSAMPLING: Final = 0.15
"""The temperature at which dev's text encoder rewrites a prompt, as its makers advise."""
_SHAPE: Final = frozenset({"width", "height", "format", "seed", "steps", "loras"})

_DEV: Final = Card(
    model="flux-2-dev",
    params=_SHAPE | {"guidance", "prompt_upsampling"},
    ignores=frozenset({"disable_pup", "safety_tolerance"}),
    references=8,
    reference_pixels=4_194_304,
    formats=("png", "jpeg", "webp"),
    multiple=16,
    min_side=64,
    max_pixels=4_194_304,
    ranges={"seed": (0, 4_294_967_295), "steps": (1, 100), "guidance": (0, 20)},
    defaults={"steps": 50, "guidance": 4.0, "prompt_upsampling": False},
    price=FREE,
    note="open weights of 32 billion parameters; not for commerce",
)
_KLEIN_BASE: Final = _DEV.model_copy(
    update={
        "model": "flux-2-klein-base",
        "params": _SHAPE | {"guidance"},
        "references": 4,
        "defaults": {"steps": 50, "guidance": 4.0},
        "note": "klein before distillation: slower, for training",
    }
)
_KLEIN: Final = _KLEIN_BASE.model_copy(
    update={
        "model": "flux-2-klein-4b",
        "params": _SHAPE,
        "ranges": {name: _DEV.ranges[name] for name in ("seed", "steps")},
        "defaults": {"steps": 4},
        "note": "open weights of 4 billion parameters, for commerce too (Apache-2.0)",
    }
)
_CARDS: Final = {
    ("Flux2Pipeline", False): _DEV,
    ("Flux2KleinPipeline", False): _KLEIN_BASE,
    ("Flux2KleinPipeline", True): _KLEIN,
}
"""The card of a pipeline, by its class and whether its weights are distilled."""


class Local:
    """Describes how the pipelines of open weights are called."""

    name = "local"
    default_model = _KLEIN.model
    cards: Mapping[str, Card] = {
        _KLEIN.model: _KLEIN,
        "flux-2-klein-9b": _KLEIN.model_copy(
            update={
                "model": "flux-2-klein-9b",
                "note": "open weights of 9 billion parameters; not for commerce",
            }
        ),
        _DEV.model: _DEV,
    }

    repositories: Mapping[str, str] = {
        "flux-2-klein-4b": "black-forest-labs/FLUX.2-klein-4B",
        "flux-2-klein-9b": "black-forest-labs/FLUX.2-klein-9B",
        "flux-2-dev": "black-forest-labs/FLUX.2-dev",
    }

    def card(self, model: str, pipeline: str, *, distilled: bool) -> Card | None:
        """The card of a model with this pipeline; None for an unknown pipeline."""
        card = _CARDS.get((pipeline, distilled))
        return self._named(card, model) if card else None

    def _named(self, card: Card, model: str) -> Card:
        """A pipeline's card under a model's name, with the note about that model, if any."""
        note = self.cards[model].note if model in self.cards else f"your own, as {card.model}"
        return card.model_copy(update={"model": model, "note": note})

    def arguments(self, order: Order) -> Mapping[str, Json]:
        """The pipeline's arguments, apart from its seed and its references."""
        params = {name: order.params[name] for name in _ARGUMENTS if name in order.params}
        arguments: dict[str, Json] = {_ARGUMENTS[name]: value for name, value in params.items()}
        if order.params.get("prompt_upsampling"):
            arguments["caption_upsample_temperature"] = _UPSAMPLING
        return {"prompt": order.prompt, **arguments}


PROVIDER: Final[Installed] = Local()
