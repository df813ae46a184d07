"""The protocol of Black Forest Labs, which gateways speak as well.

An order is posted to its model's own path; `get_result` reports on its task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlsplit

from flux2build.digest import Json
from flux2build.images.formats.lookup import of_path
from flux2build.model import Order
from flux2build.providers import contract, outcomes, replies
from flux2build.providers.contract import (
    Call,
    InDoubt,
    Ready,
    Reference,
    Refusal,
    Refused,
    Reply,
    Ticket,
    Waiting,
)

CREDIT: Final = Decimal("0.01")
"""USD in one credit of Black Forest Labs."""


MODERATED: Final = frozenset({Refusal.REQUEST_MODERATED, Refusal.CONTENT_MODERATED})


class FluxApi:
    """An API of this protocol; three attributes say how a provider's own differs."""

    path: str
    """Where the API lies below the endpoint: `/flux`, or nothing."""
    cost_unit: Decimal | None
    """USD in one unit of a reply's `cost`; None where that is not what the API charges."""
    follows_polling_url: bool
    """Whether a task is asked for at the `polling_url` of its submission, verbatim."""

    upload = contract.no_upload
    uploaded = contract.never_uploaded

    def submission(
        self, order: Order, references: Sequence[Reference | str], endpoint: str
    ) -> Call:
        """One POST to the model's path."""
        return Call("POST", self._url(endpoint, order.model), json=_body(order, references))

    def claim(self, task: str, endpoint: str) -> Ticket:
        """The ticket of a task of which only the id is known."""
        return Ticket(task, self._url(endpoint, f"get_result?id={quote(task, safe='')}"))

    def ticket(self, reply: Reply, endpoint: str) -> Ticket | Refused | InDoubt:
        """The meaning of the answer to a submission, with the provisional cost.

        A 2xx answer alone proves nothing, because gateways wrap errors in one; a task's id does.
        """
        if refusal := replies.refused(reply):
            return refusal
        body = replies.fields(reply) or {}
        url = replies.address(body.get("polling_url"))
        task = replies.task_of(body) or replies.task_named_by(url)
        if task is None or not (200 <= reply.status < 300 or "polling_url" in body):
            return replies.doubt(reply)
        state = self.status(reply)
        if isinstance(state, Refused) and state.refusal in MODERATED:
            return state
        picture = url is not None and of_path(urlsplit(url).path) is not None
        if picture and url and isinstance(state, Waiting) and outcomes.says_ready(body):
            state = Ready(url, task)
        verbatim = self.follows_polling_url and url and not picture
        poll = url if verbatim and url else self.claim(task, endpoint).poll
        ready = state if isinstance(state, Ready) else None
        return Ticket(task, poll, replies.amount(body.get("cost"), self.cost_unit), ready)

    def inquiry(self, ticket: Ticket, endpoint: str) -> Call:
        """The inquiry, at the submission's URL where other clusters do not know the task."""
        claim = ticket if self.follows_polling_url else self.claim(ticket.task, endpoint)
        return Call("GET", claim.poll)

    def status(self, reply: Reply) -> Waiting | Ready | Refused:
        """The meaning of `get_result`'s answer, with the settled cost.

        The body overrules the HTTP status. The module `outcomes` reads the server's words for a state.
        """
        body = replies.fields(reply) or {}
        cost = replies.amount(body.get("cost"), self.cost_unit)
        state = outcomes.judged(reply, lambda body: _ready(body, cost), charged=bool(cost))
        return state or Waiting(replies.message(reply))

    def _url(self, endpoint: str, below: str) -> str:
        """A URL of the API; the user's endpoint may already have the API's path."""
        return f"{replies.root(endpoint).removesuffix(self.path)}{self.path}/v1/{below}"


def is_flux_3(order: Order) -> bool:
    """Whether an order is one of FLUX.3, whose body has other fields."""
    return "resolution" in order.params


def _body(order: Order, references: Sequence[Reference | str]) -> dict[str, Json]:
    """The body of a submission; everything in it is named by the order."""
    body: dict[str, Json] = {"prompt": order.prompt}
    for name, value in order.params.items():
        body["output_format" if name == "format" else name] = value
    pictures = [item if isinstance(item, str) else replies.encoded(item) for item in references]
    if is_flux_3(order):
        return body | ({"images": pictures} if pictures else {})
    for place, item in enumerate(pictures, start=1):
        body["input_image" if place == 1 else f"input_image_{place}"] = item
    return body


def _ready(body: replies.Fields, cost: Decimal | None) -> Ready:
    """The facts about a picture, besides its URL."""
    result = body.get("result")
    result = result if isinstance(result, Mapping) else {}
    return Ready(
        "",
        cost=cost,
        seed=replies.whole(result.get("seed")),
        prompt=replies.text_or_none(result.get("prompt")),
    )
