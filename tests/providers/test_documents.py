"""Cards and requests held against the providers' own documents: names, bounds, choices, counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from flux2build.digest import Json
from flux2build.model import Order
from flux2build.providers import PROVIDERS
from flux2build.providers.capabilities import Card
from flux2build.providers.cards import shipped
from flux2build.providers.contract import Reference, Remote
from flux2build.providers.predictions import PredictionsApi
from flux2build.simulator.schema import document

REMOTES: Final = {name: member for name, member in PROVIDERS.items() if isinstance(member, Remote)}
SENT: Final = {
    "format": "output_format",
    "resolution": "output_megapixels",
}
"""Our names of fields where a document has another one."""
ROUNDED: Final = {"width", "height", "seed"}
"""What documents bound by the type alone, or not at all: the size rules stand in prose."""
UNPUBLISHED: Final = {("replicate", "flux-3-image")}
"""No schema of the model is public; what the simulator has repeats the card."""
HOSTED: Final = {"flux-2-dev"}
"""Models that are sold in BFL's format by CometAPI, and not by BFL."""


def _schema(provider: str, model: str) -> Mapping[str, Any]:
    dialect = "replicate" if isinstance(REMOTES[provider], PredictionsApi) else "bfl"
    models, name = document(dialect)["models"], model.rpartition("/")[2]
    named = name if dialect == "replicate" else models[name]
    fields: Mapping[str, Any] = document(dialect)["schemas"][named]["properties"]
    return fields


def _cards() -> Iterator[Any]:
    for provider, cards in shipped().items():
        for model, card in cards.items():
            if (provider, model) not in UNPUBLISHED:
                yield pytest.param(provider, card, id=f"{provider}/{model}")


def _field(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A field's shape, looked up under its own or its document's name; null is not a shape."""
    found = fields.get(name) or fields[SENT[name]]
    shapes = [one for one in found.get("anyOf", [found]) if one.get("type") != "null"]
    shape: Mapping[str, Any] = shapes[0]
    if "$ref" in shape:
        resolved: Mapping[str, Any] = document("bfl")["schemas"][shape["$ref"].rsplit("/", 1)[-1]]
        return resolved
    return shape


def _some(card: Card) -> dict[str, Json]:
    """A value for every parameter that a card has."""
    values: dict[str, Json] = {"width": 256, "height": 256, "seed": 7, "format": card.formats[0]}
    values |= {"disable_pup": True, "prompt_upsampling": False, "grounding": False}
    values |= {name: low for name, (low, _) in card.ranges.items() if name != "seed"}
    values |= {name: options[-1] for name, options in card.choices.items()}
    return {name: values[name] for name in sorted(card.params)}


@pytest.mark.parametrize(("provider", "card"), list(_cards()))
def test_every_field_that_is_sent_is_a_field_of_the_model(provider: str, card: Card) -> None:
    """An unknown name would be ignored silently, and the picture be another one."""
    references = [Reference("a.png", b"x", "image/png")] * card.references
    order = Order(card.model, "a fox", _some(card), ())

    body: Any = REMOTES[provider].submission(order, references, "https://api.example.com").json

    sent = body.get("input", body)
    assert set(sent) <= set(_schema(provider, card.model))
    assert len(sent) >= 2 + len(card.params)


@pytest.mark.parametrize(("provider", "card"), list(_cards()))
def test_bounds_and_choices_are_those_of_the_document(provider: str, card: Card) -> None:
    """What a card allows is what the model allows: no less, and nothing more."""
    fields = _schema(provider, card.model)

    for name in set(card.ranges) - ROUNDED:
        shape = _field(fields, name)
        assert card.ranges[name] == (shape["minimum"], shape["maximum"]), name
    for name, options in card.choices.items():
        assert set(options) == set(_field(fields, name)["enum"]) - {"custom"}, name
    if "format" in card.params:
        listed = {{"jpg": "jpeg"}.get(one, one) for one in _field(fields, "format")["enum"]}
        assert set(card.formats) == listed
    for side in {"width", "height"} & card.params:
        shape = _field(fields, side)
        assert card.min_side == shape["minimum"]
        assert card.max_side <= shape.get("maximum", card.max_side)


@pytest.mark.parametrize(("provider", "card"), list(_cards()))
def test_as_many_references_as_the_document_takes(provider: str, card: Card) -> None:
    """Eight numbered fields, or a list with a most."""
    fields = _schema(provider, card.model)
    numbered = [name for name in fields if name.startswith("input_image") and "blob" not in name]
    lists = [fields[name] for name in ("input_images", "images") if name in fields]

    most = len(numbered)
    for shape in lists:
        options = [one for one in shape.get("anyOf", [shape]) if one.get("type") == "array"]
        most = options[0]["maxItems"]

    assert card.references == most


def test_every_model_of_the_documents_has_a_card() -> None:
    """Nothing that can be bought is missing from the list."""
    cards = shipped()

    assert set(cards["bfl"]) == set(document("bfl")["models"]) - HOSTED
    assert {name.rpartition("/")[2] for name in cards["replicate"]} == set(
        document("replicate")["models"]
    )
    assert HOSTED <= set(cards["cometapi"]) <= set(cards["bfl"]) | HOSTED
    assert set(cards["cometapi-replicate"]) <= set(cards["replicate"])


@pytest.mark.parametrize(("provider", "model"), sorted(UNPUBLISHED))
def test_a_card_without_a_document_claims_little(provider: str, model: str) -> None:
    """What is not known to be taken is not sent: a shape and a class of resolution are all."""
    card, known = shipped()[provider][model], shipped()["bfl"][model]

    assert card.params == {"aspect_ratio", "resolution"}
    assert card.references == 0
    assert all(set(card.choices[name]) <= set(known.choices[name]) for name in card.params)
