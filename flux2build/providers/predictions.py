"""The protocol of Replicate's predictions, which gateways speak as well.

The URLs in an answer are never followed: a gateway passes on Replicate's own.
What is asked is built from the endpoint and the prediction's id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from flux2build.digest import Json
from flux2build.errors import one_line
from flux2build.model import OWNER, Order
from flux2build.providers import contract, replies
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

INLINE: Final = 256 * 1024
"""Bytes of a reference that may travel inside the order."""

_SEED: Final = re.compile(r"Using seed:\s*(\d{1,20})")
_BLOCKED: Final = re.compile(r"flagged|moderat|nsfw|sensitive|\bE005\b", re.IGNORECASE)
_FORMATS: Final = {"jpeg": "jpg"}


class PredictionsApi:
    """An API of this protocol."""

    credentials = contract.bearer_token
    inquiry = contract.by_task

    def upload(self, reference: Reference, endpoint: str) -> Call | None:
        """A larger reference goes to `/v1/files` first; gateways have no such place."""
        api = replies.root(endpoint)
        if len(reference.data) <= INLINE or api.endswith("/replicate"):
            return None
        return Call("POST", f"{api}/v1/files", upload=reference)

    def uploaded(self, reply: Reply) -> str | Refused:
        """The file's URL, which only the server itself will fetch."""
        match replies.fields(reply):
            case {"urls": {"get": str(url)}} if reply.status < 300 and replies.address(url):
                return url
            case _:
                return replies.refused(reply) or Refused(Refusal.FAILED, replies.message(reply))

    def submission(
        self, order: Order, references: Sequence[Reference | str], endpoint: str
    ) -> Call:
        """One POST to the model's predictions."""
        model = order.model if "/" in order.model else OWNER + order.model
        url = f"{replies.root(endpoint)}/v1/models/{model}/predictions"
        return Call("POST", url, json={"input": _input(order, references)})

    def ticket(self, reply: Reply, endpoint: str) -> Ticket | Refused | InDoubt:
        """A prediction's id, and its picture where the server held the request until it was ready."""
        answer, state = replies.ticket(self, reply, endpoint), self.status(reply)
        if isinstance(answer, Ticket) and isinstance(state, Ready):
            return replace(answer, ready=state)
        return answer

    def claim(self, task: str, endpoint: str) -> Ticket:
        """A prediction's id is all that is needed to ask for it."""
        return Ticket(task, f"{replies.root(endpoint)}/v1/predictions/{quote(task, safe='')}")

    def status(self, reply: Reply) -> Waiting | Ready | Refused:
        """Every state of the contract; the seed is only in the log."""
        body = replies.fields(reply)
        if body and isinstance(body.get("status"), str):
            return _state(body)
        if body is not None and reply.status == 404:
            return Refused(
                Refusal.LOST, replies.message(reply), charged=True, task=replies.task_of(body)
            )
        return Waiting(replies.message(reply))


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
        sent = [item if isinstance(item, str) else replies.data_url(item) for item in references]
        given["images" if klein else "input_images"] = sent
    return given


def _state(body: replies.Fields) -> Waiting | Ready | Refused:
    status, task = body.get("status"), replies.task_of(body)
    match status:
        case "succeeded":
            return _ready(body)
        case "failed":
            why = one_line(str(body.get("error") or "failed"))
            kind = Refusal.CONTENT_MODERATED if _BLOCKED.search(why) else Refusal.FAILED
            return Refused(kind, why, charged=True, task=task)
        case "canceled":
            return Refused(Refusal.FAILED, "canceled", charged=True, task=task)
        case "aborted":
            return Refused(Refusal.FAILED, "aborted before it started", task=task)
        case _:
            return Waiting(one_line(str(status), 60))


def _ready(body: replies.Fields) -> Waiting | Ready | Refused:
    output, task = body.get("output"), replies.task_of(body)
    url = replies.address(output[0] if isinstance(output, list) and output else output)
    if url is None and body.get("data_removed"):
        return Refused(Refusal.LOST, "the server has removed the picture", charged=True, task=task)
    if url is None:
        return Waiting("succeeded, without a picture")
    seed = _SEED.search(str(body.get("logs") or ""))
    return Ready(url, task=task, seed=int(seed[1]) if seed else None)
