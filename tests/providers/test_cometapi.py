"""CometAPI: BFL's shape below `/flux`, asked at home only."""

from __future__ import annotations

import json

import pytest

from flux2build.model import Order
from flux2build.providers.cometapi import PROVIDER
from flux2build.providers.contract import Reply, Ticket


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.cometapi.com",
        "https://api.cometapi.com/flux",
        "https://api.cometapi.com/flux/v1",
    ],
)
def test_paths_are_below_flux(endpoint: str) -> None:
    """However the endpoint is written, `/flux/v1` appears once."""
    order = Order("flux-2-max", "a fox", {"width": 64}, ())

    url = PROVIDER.submission(order, (), endpoint).url

    assert url == "https://api.cometapi.com/flux/v1/flux-2-max"


def test_foreign_polling_url_is_not_asked() -> None:
    """The key is the gateway's: the maker's own host is never asked with it."""
    poll = "https://api.eu2.bfl.ai/v1/get_result?id=abc"
    reply = Reply(200, {}, json.dumps({"id": "abc", "polling_url": poll}).encode())

    ticket = PROVIDER.ticket(reply, PROVIDER.endpoint)

    assert isinstance(ticket, Ticket)
    expected = "https://api.cometapi.com/flux/v1/get_result?id=abc"
    assert expected == ticket.poll == PROVIDER.inquiry(ticket, PROVIDER.endpoint).url


def test_key_is_a_bearer_token() -> None:
    """The documented form of authentication is used."""
    assert PROVIDER.credentials("k") == {"authorization": "Bearer k"}
