"""Request bodies are held against the providers' own documents."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from flux2build.providers.capabilities import Card
from flux2build.providers.pricing import quote
from flux2build.providers.sketch import drawing
from flux2build.simulator import Scenario
from flux2build.simulator.account import Reason
from flux2build.simulator.answers import RefusalError
from flux2build.simulator.flux import Flux
from flux2build.simulator.orders import ReceivedOrder
from flux2build.simulator.replicate import Predictions
from flux2build.simulator.web import BFL, COMET_FLUX, COMET_PREDICTIONS, REPLICATE

DIALECTS = (BFL, COMET_FLUX, COMET_PREDICTIONS, REPLICATE)
PICTURE = base64.b64encode(drawing.picture("a desk", 64, 64, "png", "ref")).decode()


def no_uploads(_name: str) -> None:
    """Nobody uploaded anything."""


def bfl(model: str = "flux-2-pro", **fields: Any) -> ReceivedOrder:
    """An order at BFL, read."""
    order, _ = BFL.read(model, {"prompt": "a fox"} | fields, Scenario(), no_uploads)
    return order


def replicate(model: str = "flux-2-pro", **fields: Any) -> ReceivedOrder:
    """An order at Replicate, read."""
    body = {"input": {"prompt": "a fox"} | fields}
    order, _ = REPLICATE.read(model, body, Scenario(), no_uploads)
    return order


WRONG = [
    ("flux-2-pro", {"prompt": None}, "prompt", "string_type"),
    ("flux-2-pro", {"prompt": 3}, "prompt", "string_type"),
    ("flux-2-pro", {"width": 0}, "width", "greater_than_equal"),
    ("flux-2-pro", {"height": 63}, "height", "greater_than_equal"),
    ("flux-2-pro", {"width": "1024"}, "width", "int_type"),
    ("flux-2-pro", {"width": 64.5}, "width", "int_type"),
    ("flux-2-pro", {"width": True}, "width", "int_type"),
    ("flux-2-pro", {"safety_tolerance": 6}, "safety_tolerance", "less_than_equal"),
    ("flux-2-pro", {"safety_tolerance": None}, "safety_tolerance", "int_type"),
    ("flux-2-pro", {"output_format": "jpg"}, "output_format", "enum"),
    ("flux-2-pro", {"disable_pup": "yes"}, "disable_pup", "bool_type"),
    ("flux-2-pro", {"webhook_url": ""}, "webhook_url", "string_too_short"),
    ("flux-2-pro", {"webhook_url": "nowhere"}, "webhook_url", "url_parsing"),
    ("flux-2-pro", {"webhook_url": "http://" + "x" * 2083}, "webhook_url", "string_too_long"),
    ("flux-2-pro", {"input_image": "no base64!"}, "input_image", "value_error"),
    ("flux-2-pro", {"input_image_2": base64.b64encode(b"text").decode()}, "input_image_2", None),
    ("flux-2-pro", {"input_image": PICTURE[:400]}, "input_image", "value_error"),
    ("flux-2-flex", {"guidance": 1.4}, "guidance", "greater_than_equal"),
    ("flux-2-flex", {"guidance": 10.1}, "guidance", "less_than_equal"),
    ("flux-2-flex", {"steps": 51}, "steps", "less_than_equal"),
    ("flux-2-flex", {"steps": 0}, "steps", "greater_than_equal"),
    ("flux-3-image", {"seed": 1}, "seed", "extra_forbidden"),
    ("flux-3-image", {"resolution": "8k"}, "resolution", "enum"),
    ("flux-3-image", {"images": []}, "images", "too_short"),
    ("flux-3-image", {"images": [PICTURE] * 11}, "images", "too_long"),
    ("flux-3-image", {"safety_tolerance": 5}, "safety_tolerance", "less_than_equal"),
]


@pytest.mark.parametrize(("model", "fields", "where", "kind"), WRONG)
def test_bfl_names_what_is_wrong(
    model: str, fields: dict[str, Any], where: str, kind: str | None
) -> None:
    """A body that the document does not allow is a 422 in FastAPI's words."""
    with pytest.raises(RefusalError) as caught:
        bfl(model, **fields)
    assert caught.value.answer.status == 422
    body = caught.value.answer.body.decode()
    assert f'"{where}"' in body
    if kind is not None:
        assert f'"type":"{kind}"' in body


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 64, "height": 2048},
        {"seed": 4_041_919_005},
        {"width": None, "seed": None, "input_image": None},
        {"output_format": None},
        {"input_image": f"data:image/png;base64,{PICTURE}"},
        {"input_image": "https://example.org/desk.png"},
    ],
)
def test_bfl_takes_what_its_document_allows(fields: dict[str, Any]) -> None:
    """Nulls, large seeds, data URLs and foreign URLs are all right."""
    assert bfl(**fields).prompt == "a fox"


def test_a_missing_prompt_is_missing() -> None:
    """The only field that is required is asked for by name."""
    with pytest.raises(RefusalError) as caught:
        BFL.read("flux-2-pro", {}, Scenario(), no_uploads)
    assert b'"missing"' in caught.value.answer.body


def test_sizes_end_at_four_megapixels() -> None:
    """2048x2048 is made, 16 pixels more are not."""
    order = bfl(width=2048, height=2048)
    assert order.width * order.height == 2048 * 2048
    with pytest.raises(RefusalError):
        bfl(width=2064, height=2048)


def test_without_a_size_the_first_reference_gives_it() -> None:
    """An edit has its input's size, a plain order one megapixel."""
    assert (bfl().width, bfl().height) == (1024, 1024)
    data = base64.b64encode(drawing.picture("a desk", 330, 200, "jpeg", "ref")).decode()
    order = bfl(input_image=data)
    assert (order.width, order.height) == (320, 192)


@pytest.mark.parametrize(("rule", "size"), [("floor", (96, 64)), ("exact", (100, 70))])
def test_what_becomes_of_odd_sides(rule: str, size: tuple[int, int]) -> None:
    """A side that is not a multiple of 16 is rounded down, or kept, as the scenario says."""
    scenario = Scenario.model_validate({"odd_sizes": rule})
    body = {"prompt": "a fox", "width": 100, "height": 70}
    order, _ = BFL.read("flux-2-pro", body, scenario, no_uploads)
    assert (order.width, order.height) == size
    assert order.billed_pixels == 7000


def test_odd_sides_may_be_refused() -> None:
    """A strict server wants multiples of 16."""
    body = {"prompt": "a fox", "width": 100, "height": 64}
    with pytest.raises(RefusalError):
        BFL.read("flux-2-pro", body, Scenario(odd_sizes="refuse"), no_uploads)


@pytest.mark.parametrize(("dialect", "model"), [(BFL, "flux-2-pro"), (COMET_FLUX, "flux-2-max")])
def test_unknown_fields_are_told_but_taken(dialect: Any, model: str) -> None:
    """FLUX.2 ignores what it does not know; the simulator takes note, or refuses if strict."""
    body = {"prompt": "a fox", "negative_prompt": "a cat", "steps": 3}
    _, unknown = dialect.read(model, body, Scenario(), no_uploads)
    assert unknown == ["negative_prompt", "steps"]
    with pytest.raises(RefusalError):
        dialect.read(model, body, Scenario(strict=True), no_uploads)


def test_a_fifth_reference_is_unknown_to_klein() -> None:
    """Klein has four fields for references."""
    body = {"prompt": "a fox", "input_image_5": PICTURE}
    _, unknown = BFL.read("flux-2-klein-4b", body, Scenario(), no_uploads)
    assert unknown == ["input_image_5"]


WRONG_INPUTS = [
    ("flux-2-pro", {"prompt": 1}, "prompt"),
    ("flux-2-pro", {"output_format": "jpeg"}, "output_format"),
    ("flux-2-pro", {"resolution": "3 MP"}, "resolution"),
    ("flux-2-pro", {"aspect_ratio": "7:5"}, "aspect_ratio"),
    ("flux-2-pro", {"width": 240}, "width"),
    ("flux-2-pro", {"safety_tolerance": 0}, "safety_tolerance"),
    ("flux-2-pro", {"input_images": ["nothing"]}, "input_images.0"),
    ("flux-2-pro", {"input_images": ["https://example.org/a.png"] * 9}, "input_images"),
    ("flux-2-pro", {"input_images": ["data:image/png;base64," + "A" * 400_000]}, "input_images.0"),
    ("flux-2-dev", {"width": 1456}, "width"),
    ("flux-2-klein-4b", {"output_megapixels": 1}, "output_megapixels"),
]


@pytest.mark.parametrize(("model", "fields", "where"), WRONG_INPUTS)
def test_replicate_names_what_is_wrong(model: str, fields: dict[str, Any], where: str) -> None:
    """An input that the model's schema does not allow is a 422 in Replicate's words."""
    with pytest.raises(RefusalError) as caught:
        replicate(model, **fields)
    assert caught.value.answer.status == 422
    assert f'"field":"{where}"' in caught.value.answer.body.decode()


SIZES = [
    ("flux-2-pro", {}, (1024, 1024)),
    ("flux-2-pro", {"aspect_ratio": "16:9"}, (1360, 768)),
    ("flux-2-pro", {"resolution": "4 MP", "aspect_ratio": "16:9"}, (2048, 1152)),
    ("flux-2-pro", {"resolution": "0.5 MP"}, (720, 720)),
    ("flux-2-pro", {"aspect_ratio": "custom", "width": 1000, "height": 600}, (1008, 608)),
    ("flux-2-flex", {"aspect_ratio": "custom", "width": 1000, "height": 600}, (992, 608)),
    ("flux-2-dev", {}, (1024, 1024)),
    ("flux-2-klein-4b", {"output_megapixels": "4"}, (2048, 2048)),
    (
        "flux-2-pro",
        {
            "aspect_ratio": "match_input_image",
            "resolution": "match_input_image",
            "input_images": [f"data:image/png;base64,{PICTURE}"],
        },
        (64, 64),
    ),
]


@pytest.mark.parametrize(("model", "fields", "size"), SIZES)
def test_replicate_makes_pixels_of_its_words(
    model: str, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    """Aspect ratios, size classes and custom sides come to the sizes of the reference."""
    order = replicate(model, **fields)
    assert (order.width, order.height) == size


def test_a_stale_input_is_told_but_ignored() -> None:
    """Replicate takes inputs that a model no longer has; so the size is the default one."""
    body = {"input": {"prompt": "a fox", "megapixels": "2"}}
    order, unknown = REPLICATE.read("flux-2-pro", body, Scenario(), no_uploads)
    assert unknown == ["megapixels"]
    assert (order.width, order.height) == (1024, 1024)


def test_without_files_data_urls_may_be_large() -> None:
    """CometAPI has no files, so everything travels inside the order there."""
    data = base64.b64encode(drawing.picture("a desk", 1024, 1024, "webp", "ref")).decode()
    url = "data:image/webp;base64," + data + "A" * (-len(data) % 4)
    body = {"input": {"prompt": "a fox", "input_images": [url]}}
    order, _ = COMET_PREDICTIONS.read("flux-2-pro", body, Scenario(), no_uploads)
    assert len(order.references) == 1


def test_an_order_is_the_same_however_its_references_travelled() -> None:
    """Inline, as a data URL or uploaded, the same picture makes the same order."""
    inline, as_url = bfl(input_image=PICTURE), bfl(input_image="data:;base64," + PICTURE)
    uploads = {"abc": base64.b64decode(PICTURE)}
    body = {"prompt": "a fox", "input_image": "http://x/v1/files/abc"}
    uploaded, _ = BFL.read("flux-2-pro", body, Scenario(), uploads.get)
    assert inline.digest == as_url.digest == uploaded.digest
    assert inline.digest != bfl().digest


def test_every_refusal_has_its_status() -> None:
    """The account's reasons are 402 and 429 in every dialect."""
    for dialect in (BFL, COMET_FLUX, REPLICATE, COMET_PREDICTIONS):
        assert dialect.refused(Reason.CREDITS, None).status == 402
        for reason in (Reason.BUSY, Reason.THROTTLED):
            answer = dialect.refused(reason, "9")
            assert (answer.status, answer.headers["retry-after"]) == (429, "9")


BILLED = [(dialect, card) for dialect in DIALECTS for card in dialect.cards.values()]


@pytest.mark.parametrize(("dialect", "card"), BILLED)
def test_the_bill_is_what_the_carrier_charges(dialect: Flux | Predictions, card: Card) -> None:
    """Every model of every carrier is billed at the price on its own card."""
    body = {"prompt": "a fox"} | ({"resolution": "1k"} if card.prices else {})
    order = {"input": body} if isinstance(dialect, Predictions) else body
    received, _ = dialect.read(card.model, order, Scenario(), no_uploads)
    size = {"width": received.width, "height": received.height}
    quoted = quote(card, {"resolution": "1k"} if card.prices else size)

    assert received.credits > 0
    assert quoted is None or received.credits == quoted.high * 100
