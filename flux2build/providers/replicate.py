"""Replicate, and gateways that speak its predictions format.

The URLs in an answer are never followed: a gateway passes on Replicate's own.
What is asked is built from the endpoint and the prediction's id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from flux2build.digest import Json
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
    Fields,
    address,
    base,
    data_url,
    doubt,
    fields,
    one_line,
    refused,
    said,
    task_of,
)

INLINE: Final = 256 * 1024
"""Bytes of a reference that may travel inside the order."""

_SEED: Final = re.compile(r"Using seed:\s*(\d{1,20})")
_BLOCKED: Final = re.compile(r"flagged|moderat|nsfw|sensitive|\bE005\b", re.IGNORECASE)
_FORMATS: Final = {"jpeg": "jpg"}


class Replicate:
    """The provider `replicate`."""

    name = "replicate"
    default_model = "black-forest-labs/flux-2-pro"
    endpoint = "https://api.replicate.com"
    hosts = frozenset({"api.replicate.com"})
    key_variable = "REPLICATE_API_TOKEN"
    url_variable = "FLUX2BUILD_REPLICATE_URL"
    in_flight = 24

    @property
    def cards(self) -> Mapping[str, Card]:
        """Its models."""
        return shipped()[self.name]

    def credentials(self, key: str) -> Mapping[str, str]:
        """The key is a bearer token."""
        return {"authorization": f"Bearer {key}"}

    def upload(self, reference: Reference, endpoint: str) -> Call | None:
        """A larger reference goes to `/v1/files` first; gateways have no such place."""
        root = base(endpoint)
        if len(reference.data) <= INLINE or root.endswith("/replicate"):
            return None
        return Call("POST", f"{root}/v1/files", upload=reference)

    def uploaded(self, reply: Reply) -> str | Refused:
        """The file's URL, which only the server itself will fetch."""
        match fields(reply):
            case {"urls": {"get": str(url)}} if reply.status < 300 and address(url):
                return url
            case _:
                return refused(reply) or Refused(Refusal.FAILED, said(reply))

    def submission(
        self, order: Order, references: Sequence[Reference | str], endpoint: str
    ) -> Call:
        """One POST to the model's predictions."""
        url = f"{base(endpoint)}/v1/models/{order.model}/predictions"
        return Call("POST", url, json={"input": _input(order, references)})

    def ticket(self, reply: Reply, endpoint: str) -> Ticket | Refused | InDoubt:
        """A prediction's id, which is all that is needed to ask for it."""
        if refusal := refused(reply):
            return refusal
        found = fields(reply)
        task = task_of(found)
        if found is None or task is None or not 200 <= reply.status < 300:
            return doubt(reply)
        state = _state(found)
        ready = state if isinstance(state, Ready) else None
        return Ticket(task, _prediction(task, endpoint), ready=ready)

    def inquiry(self, ticket: Ticket, endpoint: str) -> Call:
        """The prediction, by its id."""
        return Call("GET", _prediction(ticket.task, endpoint))

    def status(self, reply: Reply) -> Waiting | Ready | Refused:
        """Every state of the contract; the seed is only in the log."""
        found = fields(reply)
        if found and isinstance(found.get("status"), str):
            return _state(found)
        if found is not None and reply.status == 404:
            return Refused(Refusal.LOST, said(reply), charged=True)
        return Waiting(said(reply))


def _prediction(task: str, endpoint: str) -> str:
    return f"{base(endpoint)}/v1/predictions/{quote(task, safe='')}"


def _input(order: Order, references: Sequence[Reference | str]) -> dict[str, Json]:
    """An order in the names of its model's schema; an unknown name would be ignored silently."""
    klein = "klein" in order.model
    names = {"format": "output_format"} | ({"resolution": "output_megapixels"} if klein else {})
    given: dict[str, Json] = {"prompt": order.prompt}
    if "width" in order.params and "aspect_ratio" not in order.params:
        given["aspect_ratio"] = "custom"
    for name, value in order.params.items():
        spelled = _FORMATS.get(str(value), value) if name == "format" else value
        given[names.get(name, name)] = spelled
    if references:
        sent = [item if isinstance(item, str) else data_url(item) for item in references]
        given["images" if klein else "input_images"] = sent
    return given


def _state(found: Fields) -> Waiting | Ready | Refused:
    status = found.get("status")
    match status:
        case "succeeded":
            return _ready(found)
        case "failed":
            why = one_line(str(found.get("error") or "failed"))
            kind = Refusal.CONTENT_MODERATED if _BLOCKED.search(why) else Refusal.FAILED
            return Refused(kind, why, charged=True)
        case "canceled":
            return Refused(Refusal.FAILED, "canceled", charged=True)
        case "aborted":
            return Refused(Refusal.FAILED, "aborted before it started")
        case _:
            return Waiting(one_line(str(status), 60))


def _ready(found: Fields) -> Waiting | Ready | Refused:
    output = found.get("output")
    url = address(output[0] if isinstance(output, list) and output else output)
    if url is None and found.get("data_removed"):
        return Refused(Refusal.LOST, "the server has removed the picture", charged=True)
    if url is None:
        return Waiting("succeeded, without a picture")
    seed = _SEED.search(str(found.get("logs") or ""))
    return Ready(url, task=task_of(found) or "", seed=int(seed[1]) if seed else None)


PROVIDER: Final[Remote] = Replicate()
