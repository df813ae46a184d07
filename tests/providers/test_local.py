"""local, the provider of open weights: what each pipeline takes, and how it is called."""

from __future__ import annotations

import pytest

from flux2build.digest import Json
from flux2build.model import Generate, Order
from flux2build.providers.capabilities import FREE
from flux2build.providers.contract import Installed
from flux2build.providers.local import PROVIDER


def test_it_is_installed_and_free() -> None:
    """It needs no key, costs nothing, and says which licences do not allow commerce."""
    assert isinstance(PROVIDER, Installed)
    assert PROVIDER.default_model in PROVIDER.cards
    assert all(card.price == FREE for card in PROVIDER.cards.values())
    assert {name for name, card in PROVIDER.cards.items() if "not for commerce" in card.note} == {
        "flux-2-dev",
        "flux-2-klein-9b",
    }


@pytest.mark.parametrize(
    ("pipeline", "distilled", "params"),
    [
        ("Flux2KleinPipeline", True, set()),
        ("Flux2KleinPipeline", False, {"guidance"}),
        ("Flux2Pipeline", False, {"guidance", "prompt_upsampling"}),
    ],
)
def test_what_a_model_takes_follows_from_its_pipeline(
    pipeline: str, *, distilled: bool, params: set[str]
) -> None:
    """The user's own weights have a card by their name."""
    card = PROVIDER.card("mine", pipeline, distilled=distilled)

    assert card is not None
    assert card.model == "mine"
    assert card.params == {"width", "height", "seed", "format", "steps", "loras"} | params
    assert card.ranges.keys() | card.defaults.keys() <= card.params


def test_an_unknown_pipeline_has_no_card() -> None:
    """Another pipeline may take anything."""
    assert PROVIDER.card("mine", "StableDiffusionPipeline", distilled=False) is None


def test_arguments_are_those_of_diffusers() -> None:
    """The seed is not among them, and a prompt is rewritten only where that is asked for."""
    params: dict[str, Json] = {"width": 64, "height": 96, "format": "png", "seed": 7}
    params |= {"steps": 4, "guidance": 4.0}
    plain = {
        "prompt": "a fox",
        "width": 64,
        "height": 96,
        "num_inference_steps": 4,
        "guidance_scale": 4.0,
    }
    order = Order("local/x", "a fox", params | {"prompt_upsampling": False}, ())
    rewriting = Order("local/x", "a fox", params | {"prompt_upsampling": True}, ())

    assert PROVIDER.arguments(order) == plain
    assert PROVIDER.arguments(rewriting) == plain | {"caption_upsample_temperature": 0.15}


def test_the_name_of_a_card_leaves_the_weights_out() -> None:
    """Orders name a local model by its weights; everything else knows it by its name."""
    names = ("local", "local/mine@sha256:00"), ("local", "local/mine"), ("bfl", "flux-2-pro")

    cards = [Generate(provider, model, "a fox", {}).card for provider, model in names]

    assert cards == ["mine", "mine", "flux-2-pro"]
