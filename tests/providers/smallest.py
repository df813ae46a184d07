"""The smallest remote provider: all that a new one has to say, held by the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flux2build.model import Order
from flux2build.providers import contract, replies
from flux2build.providers.capabilities import FREE, Card
from flux2build.providers.contract import (
    Call,
    Ready,
    Reference,
    Refusal,
    Refused,
    Remote,
    Reply,
    Ticket,
    Waiting,
)


class Smallest:
    """The provider `smallest`."""

    name = "smallest"
    cards: Mapping[str, Card] = {
        "one": Card(model="one", params=frozenset({"width", "height"}), references=2, price=FREE)
    }
    default_model = "one"
    endpoint = "https://api.example.com"
    hosts = frozenset({"api.example.com"})
    key_variable = "EXAMPLE_API_KEY"
    url_variable = "FLUX2BUILD_EXAMPLE_URL"
    in_flight = 8

    credentials = contract.bearer_token
    upload = contract.no_upload
    uploaded = contract.never_uploaded
    ticket = replies.ticket
    inquiry = contract.by_task

    def submission(
        self, order: Order, references: Sequence[Reference | str], endpoint: str
    ) -> Call:
        """One POST to the model's path."""
        sent = [each if isinstance(each, str) else replies.data_url(each) for each in references]
        body = {"prompt": order.prompt, "images": sent, **order.params}
        return Call("POST", f"{replies.root(endpoint)}/v1/{order.model}", json=body)

    def claim(self, task: str, endpoint: str) -> Ticket:
        """The task's own path."""
        return Ticket(task, f"{replies.root(endpoint)}/v1/tasks/{task}")

    def status(self, reply: Reply) -> Waiting | Ready | Refused:
        """Done, failed, or still at work."""
        body = replies.fields(reply) or {}
        url = replies.address(body.get("url"))
        if url and body.get("status") == "done":
            return Ready(url, task=replies.task_of(body))
        if body.get("status") == "failed":
            return Refused(Refusal.FAILED, replies.message(reply), task=replies.task_of(body))
        return Waiting(replies.message(reply))


PROVIDER: Final[Remote] = Smallest()
