"""CometAPI: a gateway that speaks BFL's shape, with habits of its own.

Unknown routes answer an HTML page, errors may come with status 200, a task
may be ready at once, and a URL in an answer may belong to somebody else: what
is asked is always built from the endpoint and the task's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flux2build.model import Order
from flux2build.providers.capabilities import Card
from flux2build.providers.cards import shipped
from flux2build.providers.contract import (
    Call,
    InDoubt,
    Ready,
    Reference,
    Refusal,
    Refused,
    Remote,
    Reply,
    Ticket,
    Waiting,
)
from flux2build.providers.protocol import (
    base,
    flux_body,
    flux_inquiry,
    flux_status,
    flux_ticket,
    said,
)


class CometApi:
    """The provider `cometapi`."""

    name = "cometapi"
    default_model = "flux-2-pro"
    endpoint = "https://api.cometapi.com"
    hosts = frozenset({"api.cometapi.com"})
    key_variable = "COMETAPI_KEY"
    url_variable = "FLUX2BUILD_COMETAPI_URL"
    in_flight = 12

    @property
    def cards(self) -> Mapping[str, Card]:
        """Its models."""
        return shipped()[self.name]

    def credentials(self, key: str) -> Mapping[str, str]:
        """The key is a bearer token."""
        return {"authorization": f"Bearer {key}"}

    def upload(self, reference: Reference, endpoint: str) -> None:
        """None: references travel inside the order, as base64."""
        del reference, endpoint

    def uploaded(self, reply: Reply) -> Refused:
        """Nothing is uploaded, so no answer is a reference's URL."""
        return Refused(Refusal.FAILED, said(reply))

    def submission(
        self, order: Order, references: Sequence[Reference | str], endpoint: str
    ) -> Call:
        """One POST to the model's path below `/flux`."""
        url = f"{_root(endpoint)}/v1/{order.model}"
        return Call("POST", url, json=flux_body(order, references))

    def ticket(self, reply: Reply, endpoint: str) -> Ticket | Refused | InDoubt:
        """A task's id; the cost in it is not what the gateway charges, so it is left out."""
        return flux_ticket(reply, _root(endpoint), None, verbatim=False)

    def inquiry(self, ticket: Ticket, endpoint: str) -> Call:
        """The gateway's own `get_result`."""
        return Call("GET", flux_inquiry(_root(endpoint), ticket.task))

    def status(self, reply: Reply) -> Waiting | Ready | Refused:
        """The states of BFL, without a cost."""
        return flux_status(reply, None)


def _root(endpoint: str) -> str:
    return base(endpoint).removesuffix("/flux") + "/flux"


PROVIDER: Final[Remote] = CometApi()
