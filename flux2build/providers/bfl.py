"""Black Forest Labs: FLUX.2 and FLUX.3 from their makers.

An order is posted to its model's own path; the answer names a URL on the
cluster that works on it, which has to be asked verbatim.
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
from flux2build.providers.protocol import CREDIT, base, flux_body, flux_status, flux_ticket, said


class Bfl:
    """The provider `bfl`."""

    name = "bfl"
    default_model = "flux-2-pro"
    endpoint = "https://api.bfl.ai"
    hosts = frozenset({"api.bfl.ai", "api.*.bfl.ai"})
    key_variable = "BFL_API_KEY"
    url_variable = "FLUX2BUILD_BFL_URL"
    in_flight = 24

    @property
    def cards(self) -> Mapping[str, Card]:
        """Its models."""
        return shipped()[self.name]

    def credentials(self, key: str) -> Mapping[str, str]:
        """The key travels in `x-key`."""
        return {"x-key": key}

    def upload(self, reference: Reference, endpoint: str) -> None:
        """None: references travel inside the order, as base64."""
        del reference, endpoint

    def uploaded(self, reply: Reply) -> Refused:
        """Nothing is uploaded, so no answer is a reference's URL."""
        return Refused(Refusal.FAILED, said(reply))

    def submission(
        self, order: Order, references: Sequence[Reference | str], endpoint: str
    ) -> Call:
        """One POST to the model's path."""
        url = f"{base(endpoint)}/v1/{order.model}"
        return Call("POST", url, json=flux_body(order, references))

    def ticket(self, reply: Reply, endpoint: str) -> Ticket | Refused | InDoubt:
        """A task's id and the URL to ask, with the provisional cost."""
        return flux_ticket(reply, base(endpoint), CREDIT, verbatim=True)

    def inquiry(self, ticket: Ticket, endpoint: str) -> Call:
        """The URL that the submission told, verbatim: another cluster knows nothing of it."""
        del endpoint
        return Call("GET", ticket.poll)

    def status(self, reply: Reply) -> Waiting | Ready | Refused:
        """Every state of the contract; the cost is the settled one."""
        return flux_status(reply, CREDIT)


PROVIDER: Final[Remote] = Bfl()
