"""The protocol of Black Forest Labs, which gateways speak as well.

An order is posted to its model's own path, and its task is asked for at
`get_result`. The functions are assigned in a provider's class body; the
provider says in three attributes how its API differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

from flux2build.digest import Json
from flux2build.errors import one_line
from flux2build.images.formats.lookup import of_path
from flux2build.model import Order
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
from flux2build.providers.replies import (
    Fields,
    address,
    amount,
    doubt,
    encoded,
    fields,
    message,
    progress,
    refused,
    root,
    task_of,
    text_or_none,
    whole,
    words,
)

CREDIT: Final = Decimal("0.01")
"""USD in one credit of Black Forest Labs."""


class FluxApi(Protocol):
    """How one API of this protocol differs from the others."""

    @property
    def path(self) -> str:
        """Where the API lies below the endpoint: `/flux`, or nothing."""

    @property
    def cost_unit(self) -> Decimal | None:
        """USD in one unit of a reply's `cost`; None where that is not what the API charges."""

    @property
    def follows_polling_url(self) -> bool:
        """Whether a task is asked for at the `polling_url` of its submission, verbatim."""


def submission(
    api: FluxApi, order: Order, references: Sequence[Reference | str], endpoint: str
) -> Call:
    """One POST to the model's path."""
    return Call("POST", f"{_root(api, endpoint)}/v1/{order.model}", json=_body(order, references))


def claim(api: FluxApi, task: str, endpoint: str) -> Ticket:
    """The ticket that asks for a task by its id alone."""
    return Ticket(task, f"{_root(api, endpoint)}/v1/get_result?id={quote(task, safe='')}")


def ticket(api: FluxApi, reply: Reply, endpoint: str) -> Ticket | Refused | InDoubt:
    """What the answer to a submission says, with the provisional cost.

    A 2xx answer is not enough: gateways wrap errors in one. A task's id is.
    """
    if refusal := refused(reply):
        return refusal
    body = fields(reply)
    task = task_of(body)
    if body is None or task is None or not (200 <= reply.status < 300 or "polling_url" in body):
        return doubt(reply)
    state = status(api, reply)
    if isinstance(state, Refused) and state.refusal is Refusal.REQUEST_MODERATED:
        return state
    url = address(body.get("polling_url"))
    picture = url is not None and of_path(urlsplit(url).path) is not None
    if picture and url and isinstance(state, Waiting) and body.get("status") == "Ready":
        state = Ready(url, task)
    verbatim = api.follows_polling_url and url and not picture
    poll = url if verbatim and url else claim(api, task, endpoint).poll
    ready = state if isinstance(state, Ready) else None
    return Ticket(task, poll, amount(body.get("cost"), api.cost_unit), ready)


def inquiry(api: FluxApi, ticket: Ticket, endpoint: str) -> Call:
    """The URL of the submission, verbatim, where another cluster does not know the task."""
    asked = ticket if api.follows_polling_url else claim(api, ticket.task, endpoint)
    return Call("GET", asked.poll)


def status(api: FluxApi, reply: Reply) -> Waiting | Ready | Refused:
    """What `get_result` says, with the settled cost; the body counts before the HTTP status.

    A state that is not known is waited for: new ones have been added before.
    """
    body = fields(reply) or {}
    state, task = body.get("status"), task_of(body)
    cost = amount(body.get("cost"), api.cost_unit)
    match state:
        case "Ready":
            return _ready(body, cost)
        case "Request Moderated" | "Content Moderated":
            kind = Refusal.REQUEST_MODERATED if state[0] == "R" else Refusal.CONTENT_MODERATED
            return Refused(kind, _why(body) or state.lower(), charged=bool(cost), task=task)
        case "Error" | "Failed":
            why = _why(body) or state.lower()
            return Refused(Refusal.FAILED, why, charged=bool(cost), task=task)
        case "Task not found":
            why = "the server does not know the task"
            return Refused(Refusal.LOST, why, charged=True, task=task)
        case str():
            return Waiting(one_line(state, 60), progress(body.get("progress")))
        case _:
            return Waiting(message(reply))


def _root(api: FluxApi, endpoint: str) -> str:
    """The endpoint with the API's path, which people may have written themselves."""
    return root(endpoint).removesuffix(api.path) + api.path


def _body(order: Order, references: Sequence[Reference | str]) -> dict[str, Json]:
    """The body that buys; it holds nothing that the order does not name."""
    body: dict[str, Json] = {"prompt": order.prompt}
    for name, value in order.params.items():
        body["output_format" if name == "format" else name] = value
    sent = [item if isinstance(item, str) else encoded(item) for item in references]
    if "resolution" in order.params:
        return body | ({"images": sent} if sent else {})
    for place, item in enumerate(sent, start=1):
        body["input_image" if place == 1 else f"input_image_{place}"] = item
    return body


def _ready(body: Fields, cost: Decimal | None) -> Waiting | Ready:
    result = body.get("result")
    result = result if isinstance(result, Mapping) else {}
    url = address(result.get("sample"))
    if url is None:
        return Waiting("Ready, without a picture")
    return Ready(
        url,
        task=task_of(body),
        cost=cost,
        seed=whole(result.get("seed")),
        prompt=text_or_none(result.get("prompt")),
    )


def _why(body: Fields) -> str:
    return one_line(words(body.get("details")) or words(body.get("error")))
