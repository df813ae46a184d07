"""Replicate: inputs by each model's schema, and URLs that are never followed."""

from __future__ import annotations

from typing import Any

import pytest

from flux2build.model import Order
from flux2build.providers.contract import Call, Reference, Ticket
from flux2build.providers.predictions import INLINE
from flux2build.providers.replicate import PROVIDER

SMALL = Reference("desk.png", b"desk", "image/png")
LARGE = Reference("wall.png", b"x" * (INLINE + 1), "image/png")
GATEWAY = "https://api.cometapi.com/replicate"


def _input(model: str, *references: Reference | str, **params: Any) -> Any:
    order = Order(model, "a fox", params, ())
    call = PROVIDER.submission(order, references, PROVIDER.endpoint)
    assert isinstance(call.json, dict)
    return call.json["input"]


def test_pixels_are_a_custom_aspect_ratio() -> None:
    """Width and height count only beside `aspect_ratio = custom`."""
    assert _input("flux-2-pro", width=1024, height=768, seed=3, format="webp") == {
        "prompt": "a fox",
        "aspect_ratio": "custom",
        "width": 1024,
        "height": 768,
        "seed": 3,
        "output_format": "webp",
    }


@pytest.mark.parametrize("model", ["flux-2-pro", "black-forest-labs/flux-2-pro"])
def test_a_model_is_under_the_account_of_its_makers(model: str) -> None:
    """The carrier is asked in its own spelling."""
    call = PROVIDER.submission(Order(model, "a fox", {}, ()), (), PROVIDER.endpoint)

    assert call.url == f"{PROVIDER.endpoint}/v1/models/black-forest-labs/flux-2-pro/predictions"


def test_jpeg_is_spelled_jpg() -> None:
    """The format has another name here."""
    assert _input("flux-2-pro", format="jpeg")["output_format"] == "jpg"


def test_klein_has_names_of_its_own() -> None:
    """Klein takes `images` and `output_megapixels`."""
    given = _input("flux-2-klein-4b", SMALL, aspect_ratio="16:9", resolution="2")

    assert given == {
        "prompt": "a fox",
        "aspect_ratio": "16:9",
        "output_megapixels": "2",
        "images": ["data:image/png;base64,ZGVzaw=="],
    }


def test_a_shape_is_no_custom_one() -> None:
    """An order that asks for a shape says nothing of pixels."""
    given = _input("flux-2-max", SMALL, aspect_ratio="match_input_image", resolution="1 MP")

    assert given == {
        "prompt": "a fox",
        "aspect_ratio": "match_input_image",
        "resolution": "1 MP",
        "input_images": ["data:image/png;base64,ZGVzaw=="],
    }


def test_flex_sends_steps_and_guidance() -> None:
    """What the order names is sent under the same name."""
    given = _input("flux-2-flex", width=512, height=512, steps=20, guidance=4.5)

    assert (given["steps"], given["guidance"]) == (20, 4.5)


def test_small_reference_travels_inside() -> None:
    """Up to the limit a reference is a data URL, and nothing is uploaded."""
    assert PROVIDER.upload(SMALL, PROVIDER.endpoint) is None
    assert _input("flux-2-pro", SMALL)["input_images"] == ["data:image/png;base64,ZGVzaw=="]


def test_large_reference_is_uploaded_first() -> None:
    """Above the limit a reference goes to the files API, its URL into the order."""
    expected = Call("POST", "https://api.replicate.com/v1/files", upload=LARGE)

    assert expected == PROVIDER.upload(LARGE, PROVIDER.endpoint)
    assert _input("flux-2-pro", "https://f.example/1")["input_images"] == ["https://f.example/1"]


@pytest.mark.parametrize("endpoint", [GATEWAY, f"{GATEWAY}/v1", f"{GATEWAY}/"])
def test_gateway_has_no_files(endpoint: str) -> None:
    """Behind a gateway even a large reference travels inside: it has no files API."""
    assert PROVIDER.upload(LARGE, endpoint) is None


def test_gateway_is_asked_at_home() -> None:
    """The prediction's URL is built from the endpoint, not from the answer."""
    ticket = Ticket("abc", "https://api.replicate.com/v1/predictions/abc")

    call = PROVIDER.inquiry(ticket, f"{GATEWAY}/v1")

    assert call.url == "https://api.cometapi.com/replicate/v1/predictions/abc"
