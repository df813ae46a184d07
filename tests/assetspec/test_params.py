"""What is sent to a model: no more than it has, no less than it needs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.assetspec import params
from flux2build.assetspec.faults import FaultyError
from flux2build.assetspec.layers import Layer, merge
from flux2build.assetspec.tables import Settings
from flux2build.providers.capabilities import FREE, Card
from tests.assetspec.specs import CAPABILITIES, FLEX, PRO, SHIPPED, SKETCH, THREE

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "width": st.integers(1, 5000),
    "height": st.integers(1, 5000),
    "seed": st.integers(0, 2**33),
    "steps": st.integers(1, 60),
    "guidance": st.floats(0, 20),
    "aspect_ratio": st.sampled_from(["1:1", "16:9", "9:1"]),
    "format": st.sampled_from(["png", "jpeg", "webp", "gif"]),
    "disable_pup": st.booleans(),
}
SHAPES = {"width", "height", "aspect_ratio"}
GIVEN = st.fixed_dictionaries({}, optional=VALUES)
CARDS = st.sampled_from([PRO, FLEX, THREE, SKETCH])


@given(GIVEN, CARDS)
def test_what_is_sent_is_what_the_card_allows(given_: dict[str, Any], card: Card) -> None:
    """Without faults, everything sent is the model's, within its limits, and as it was given."""
    merged = merge(("asset", "a"), {}, [Layer(("asset", "a"), Settings(**given_))])
    asked = params.read(merged, card, CAPABILITIES)
    if asked.faults:
        return
    sent, shaped = asked.sent, SHAPES if card.shapes and "aspect_ratio" in given_ else set()

    assert sent.keys() <= card.params
    assert all(sent[name] == given_[name] for name in (given_.keys() & card.params) - shaped)
    assert given_.keys() - shaped <= card.params | (card.ignores if card.price == FREE else set())
    for side in ("width", "height"):
        pixels = sent.get(side, card.max_side)
        assert isinstance(pixels, int)
        assert pixels % card.multiple == 0
        assert card.min_side <= pixels <= card.max_side


@given(GIVEN, CARDS)
def test_every_fault_is_of_a_setting(given_: dict[str, Any], card: Card) -> None:
    """What is refused was asked for, and is shown where it was."""
    merged = merge(("asset", "a"), {}, [Layer(("asset", "a"), Settings(**given_))])
    faults = params.read(merged, card, CAPABILITIES).faults

    assert all(fault.key[:2] == ("asset", "a") for fault in faults)
    assert all(fault.key[2] in given_ for fault in faults)


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"provider": "sketch", "model": "flux-2-pro"}, "it is a model of `bfl`: set `provider`"),
        ({"provider": "bfl", "model": "flux-2-flx"}, "did you mean `flux-2-flex`?"),
        ({"provider": "skech"}, "did you mean `sketch`?"),
    ],
)
def test_unknown_models(settings: dict[str, Any], hint: str) -> None:
    """Who asks for a model that there is not learns where it is, or what it is called."""
    merged = merge(("asset", "a"), {}, [Layer(("asset", "a"), Settings(**settings))])
    with pytest.raises(FaultyError) as caught:
        params.choose(merged, CAPABILITIES)

    assert caught.value.faults[0].hint == hint


def test_models_that_have_a_parameter_are_named() -> None:
    """A parameter of another model is refused with the models that have it."""
    merged = merge(("asset", "a"), {}, [Layer(("asset", "a"), Settings(steps=3))])
    (fault,) = params.read(merged, PRO, CAPABILITIES).faults

    assert fault.hint == "models that have it: `flux-2-flex`"


def test_a_parameter_that_a_model_has_elsewhere() -> None:
    """A parameter that the same model has at another carrier is refused with that carrier."""
    written = Settings(provider="bfl", model="flux-2-flex", resolution="2 MP")
    merged = merge(("asset", "a"), {}, [Layer(("asset", "a"), written)])
    (fault,) = params.read(merged, SHIPPED.cards["bfl"]["flux-2-flex"], SHIPPED).faults

    assert fault.hint == "it has one at `cometapi-replicate` and `replicate`"
