"""Black Forest Labs: the bodies that buy, against their own field names."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from flux2build.model import Order
from flux2build.providers.bfl import PROVIDER
from flux2build.providers.contract import Call, Ready, Reference, Reply, Ticket

SIZE: dict[str, Any] = {"width": 1024, "height": 768, "format": "png"}
DESK = Reference("desk.png", b"desk", "image/png")
FOX = Reference("fox.png", b"fox", "image/png")


def _body(model: str, *references: Reference | str, **params: Any) -> Any:
    order = Order(model, "a fox", params, ())
    return PROVIDER.submission(order, references, PROVIDER.endpoint).json


def test_pro_sends_what_the_order_names_and_no_more() -> None:
    """The body has the order's fields by BFL's names; nothing is added."""
    body = _body("flux-2-pro", **SIZE, seed=7, disable_pup=True)

    assert body == {
        "prompt": "a fox",
        "width": 1024,
        "height": 768,
        "output_format": "png",
        "seed": 7,
        "disable_pup": True,
    }


def test_references_are_numbered_base64() -> None:
    """The first reference is `input_image`, the second `input_image_2`."""
    body = _body("flux-2-pro", DESK, FOX, **SIZE)

    assert base64.b64decode(body["input_image"]) == b"desk"
    assert base64.b64decode(body["input_image_2"]) == b"fox"
    assert "input_image_1" not in body


def test_flux_3_takes_a_list_of_references_and_a_class_of_resolution() -> None:
    """FLUX.3 has neither pixels nor numbered references."""
    body = _body("flux-3-image", DESK, resolution="1k", aspect_ratio="16:9", grounding=False)

    assert body == {
        "prompt": "a fox",
        "resolution": "1k",
        "aspect_ratio": "16:9",
        "grounding": False,
        "images": [base64.b64encode(b"desk").decode()],
    }


def test_flux_3_without_references_names_none() -> None:
    """An empty list is not sent: the model refuses it."""
    assert "images" not in _body("flux-3-image", resolution="1k")


@pytest.mark.parametrize(
    "poll",
    [
        "https://api.us3.bfl.ai/v1/get_result?id=abc&region=us3",
        "https://api.eu1.bfl.ai/v1/get_result?id=abc",
    ],
)
def test_polling_url_is_asked_verbatim(poll: str) -> None:
    """Another cluster does not know the task, so the URL is not rebuilt."""
    assert Call("GET", poll) == PROVIDER.inquiry(Ticket("abc", poll), "https://api.eu.bfl.ai")


@pytest.mark.parametrize("endpoint", ["https://api.eu.bfl.ai", "https://api.us.bfl.ai/v1/"])
def test_regions_are_endpoints(endpoint: str) -> None:
    """A region's base URL receives the order at the same path."""
    order = Order("flux-2-klein-4b", "a fox", SIZE, ())

    url = PROVIDER.submission(order, (), endpoint).url

    assert url.endswith(".bfl.ai/v1/flux-2-klein-4b")
    assert url.startswith(endpoint[:21])


def test_ready_without_details_is_enough() -> None:
    """Only the picture's URL is needed; everything else may be missing."""
    body = b'{"status": "Ready", "result": {"sample": "https://d.example/a.png"}}'

    assert Ready("https://d.example/a.png") == PROVIDER.status(Reply(200, {}, body))
