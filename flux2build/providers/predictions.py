"""The protocol of Replicate's predictions, which gateways speak as well.

The URLs in an answer are never followed, because a gateway passes on Replicate's own. Inquiries are
built from the endpoint and the prediction's id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from msgspec.structs import replace

from flux2build.digest import Json
from flux2build.model import OWNER, Order
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

INLINE: Final = 256 * 1024
"""Bytes of a reference that may travel inside the order."""

_SEED: Final = re.compile(r"Using seed:\s*(\d{1,20})")
_UNFINISHED: Final = frozenset({"starting", "processing"})
"""States in which `output` may still grow."""
_FORMATS: Final = {"jpeg": "jpg"}


class PredictionsApi:
    """An API of this protocol."""

    credentials = contract.bearer_token
    inquiry = contract.by_task

    def upload(self, reference: Reference, endpoint: str) -> Call | None:
        """The upload of a large reference to `/v1/files`; gateways do not have that route."""
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
        """The ticket of a prediction; its id is enough."""
        return Ticket(task, f"{replies.root(endpoint)}/v1/predictions/{quote(task, safe='')}")

    def status(self, reply: Reply) -> Waiting | Ready | Refused:
        """The state of a prediction; its seed is only in the log."""
        state = outcomes.judged(reply, _ready, charged=True, unfinished=_UNFINISHED)
        body = replies.fields(reply)
        if state is None and body is not None and reply.status == 404:
            text, task = replies.message(reply), replies.task_of(body)
            return Refused(Refusal.LOST, text, charged=True, task=task)
        return state or Waiting(replies.message(reply))


def _input(order: Order, references: Sequence[Reference | str]) -> dict[str, Json]:
    """An order under the names of its model's schema; servers ignore unknown names silently."""
    klein = "klein" in order.model
    names = {"format": "output_format"} | ({"resolution": "output_megapixels"} if klein else {})
    fields: dict[str, Json] = {"prompt": order.prompt}
    if "width" in order.params and "aspect_ratio" not in order.params:
        fields["aspect_ratio"] = "custom"
    for name, value in order.params.items():
        spelled = _FORMATS.get(str(value), value) if name == "format" else value
        fields[names.get(name, name)] = spelled
    if references:
        pictures = [
            item if isinstance(item, str) else replies.data_url(item) for item in references
        ]
        fields["images" if klein else "input_images"] = pictures
    return fields


def _ready(body: replies.Fields) -> Ready:
    """The facts about a picture, besides its URL."""
    seed = _SEED.search(str(body.get("logs") or ""))
    return Ready("", seed=int(seed[1]) if seed else None)
