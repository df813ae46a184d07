"""The contract of a provider: described requests, no network.

A member is a module of `flux2build/providers/` that ends in
`PROVIDER: Final[Provider] = …`, with the cards of its models in a TOML file of
the same name. An `Embedded` provider draws by itself; an `Installed` one says how
models on this machine are called; a `Remote` one only describes calls and reads
replies. It cannot sleep, retry, log, read the environment or see the key.

What many providers have in common is a function here, to be assigned in the
class body: `upload = contract.no_upload`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol, TypeGuard, runtime_checkable

from msgspec import Struct, field

from flux2build.digest import Json
from flux2build.model import Order
from flux2build.providers.capabilities import Card

_SECONDS: Final = r"[0-9]{1,15}(\.[0-9]{1,15})?"
_TASK: Final = r"(?!\.+\Z)[A-Za-z0-9_.:=-]{1,200}"
"""Dots alone would be another path of the API."""


class Reference(Struct, frozen=True):
    """A picture that is sent along with an order, ready to be uploaded."""

    name: str
    """The asset's name or the file's path, for messages."""
    data: bytes
    media_type: str


class Call(Struct, frozen=True):
    """An HTTP request, described. The key is attached elsewhere, for `hosts` only."""

    method: str
    url: str
    json: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    upload: Reference | None = None
    """A file that is sent as multipart `content`, instead of JSON."""


class Reply(Struct, frozen=True):
    """An HTTP response, received in full."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; `retry-after` is in seconds, whatever the server wrote."""
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, where the header names them."""
        header = self.headers.get("retry-after", "").strip()
        return float(header) if re.fullmatch(_SECONDS, header) else None


class Ticket(Struct, frozen=True):
    """The claim check of a pending order: enough to collect it after a crash."""

    task: str
    poll: str
    """The URL of the inquiry, verbatim."""
    cost: Decimal | None = None
    """USD as reported at submission; provisional."""
    ready: Ready | None = None
    """Where the picture is, if the submission already says so; saves the first inquiry."""


class Waiting(Struct, frozen=True):
    """Not finished; `status` as the server words it, `progress` from 0 to 1."""

    status: str
    progress: float | None = None


class Ready(Struct, frozen=True):
    """Finished: where the picture is, and what the server says about it."""

    url: str
    """A `data:` URL where the reply itself holds the picture."""
    task: str | None = None
    """The task that the reply names, if it names one."""
    pictures: int = 1
    """How many pictures the reply names; the first one counts."""
    cost: Decimal | None = None
    """USD as settled; it overrules what the ticket said."""
    seed: int | None = None
    prompt: str | None = None
    """The prompt that was rendered, which the server may have rewritten."""


class Refusal(StrEnum):
    """Why an order was certainly not fulfilled."""

    INVALID = "invalid"
    """The request is wrong; the same one would be refused again."""
    REQUEST_MODERATED = "request-moderated"
    """The prompt or a reference was blocked; not sent again unchanged."""
    CONTENT_MODERATED = "content-moderated"
    """The picture was blocked; another seed or prompt may pass."""
    FAILED = "failed"
    """The server gave up."""
    LOST = "lost"
    """The server accepted the order and no longer knows it."""
    CREDITS = "credits"
    """The account is empty: no further order can succeed."""
    CREDENTIALS = "credentials"
    """The key is missing, wrong or not allowed: no further order can succeed."""
    RATE_LIMITED = "rate-limited"
    """Too many orders at once; this one may be sent again."""
    UNREACHABLE = "unreachable"
    """No connection was made, so nothing was sent."""
    UNTRUSTED = "untrusted"
    """The same, as the certificate is not trusted: no further order can succeed."""


class Refused(Struct, frozen=True):
    """The server certainly refused, or certainly did not deliver."""

    refusal: Refusal
    message: str
    retry_after: float | None = None
    """Seconds, for `RATE_LIMITED`."""
    charged: bool = False
    """True where the server may still charge for it."""
    task: str | None = None
    """The task that the reply names, if it names one."""


class Callback(Struct, frozen=True):
    """Where a provider reports the end of an order, and the secret that may sign the report."""

    url: str
    secret: str
    """For this order only; a provider that has a secret for each account ignores it."""


class Message(Struct, frozen=True):
    """A message that somebody posted to the URL of a callback."""

    headers: Mapping[str, str]
    """Names in lower case; values decoded as latin-1."""
    body: bytes


class Unproved(Struct, frozen=True):
    """A message that is ignored, with the reason."""

    message: str


class InDoubt(Struct, frozen=True):
    """The answer proves neither acceptance nor refusal; nothing sends the order again by itself."""

    message: str


class _Described(Protocol):
    """The attributes that every provider has."""

    @property
    def name(self) -> str:
        """Its name in the spec: `provider = "sketch"`."""

    @property
    def cards(self) -> Mapping[str, Card]:
        """Its models."""

    @property
    def default_model(self) -> str:
        """The model to use if a spec names the provider only."""


@runtime_checkable
class Embedded(_Described, Protocol):
    """A provider inside flux2build: free, offline, deterministic."""

    def draw(self, order: Order, references: Sequence[Reference]) -> bytes:
        """The picture, encoded in the order's `format` at its `width` and `height`."""


@runtime_checkable
class Installed(_Described, Protocol):
    """A provider of models whose weights lie on this machine; a worker process renders."""

    @property
    def repositories(self) -> Mapping[str, str]:
        """Where the weights of its models can be fetched, at Hugging Face."""

    def card(self, model: str, pipeline: str, *, distilled: bool) -> Card | None:
        """The card of a model with this pipeline; None for an unknown pipeline."""

    def arguments(self, order: Order) -> Mapping[str, Json]:
        """The pipeline's arguments, apart from its seed and its references."""


@runtime_checkable
class Remote(_Described, Protocol):
    """A provider behind HTTP, as pure functions over described requests."""

    @property
    def endpoint(self) -> str:
        """Its base URL, which the user's environment may override."""

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts, besides the endpoint's, to which the key may ever be sent over https.

        `*.bfl.ai` stands for every host of that domain.
        """

    @property
    def key_variable(self) -> str:
        """The environment variable that holds the key."""

    @property
    def url_variable(self) -> str:
        """The environment variable that overrides the endpoint."""

    @property
    def in_flight(self) -> int:
        """Most orders pending at once."""

    def credentials(self, key: str) -> Mapping[str, str]:
        """The headers that carry the key."""

    def upload(self, reference: Reference, endpoint: str) -> Call | None:
        """The request that uploads a reference first; None if it travels inside the order."""

    def uploaded(self, reply: Reply) -> str | Refused:
        """The URL of an uploaded reference."""

    def submission(
        self, order: Order, references: Sequence[Reference | str], endpoint: str
    ) -> Call:
        """The request that buys; each reference is its bytes, or the URL of its upload."""

    def ticket(self, reply: Reply, endpoint: str) -> Ticket | Refused | InDoubt:
        """The meaning of the answer to a submission.

        `Refused` only where the answer proves that nothing was accepted.
        """

    def claim(self, task: str, endpoint: str) -> Ticket:
        """The ticket of an order that is known by its task's id alone."""

    def inquiry(self, ticket: Ticket, endpoint: str) -> Call:
        """The request that asks how a pending order is doing; free."""

    def status(self, reply: Reply) -> Waiting | Ready | Refused:
        """The meaning of the answer to an inquiry; an answer that proves nothing is `Waiting`."""


@runtime_checkable
class Regional(Protocol):
    """A provider that can be asked to keep to one region of the world."""

    @property
    def regions(self) -> Mapping[str, str]:
        """The base URL of each region, by its name."""


@runtime_checkable
class CallsBack(Protocol):
    """A provider that reports the end of an order to a URL that the order names.

    The report is a hint to ask for the order; it is never taken as the answer.
    """

    @property
    def signature_variable(self) -> str:
        """The environment variable with the secret that signs the account's messages.

        It is empty where each order names its own secret.
        """

    def calling_back(self, order: Order, call: Call, callback: Callback) -> Call:
        """The submission with a callback; unchanged for a model without callbacks."""

    def task_of_message(self, message: Message, secret: str, now: float) -> str | Unproved:
        """The task that a message is about, if its signature proves its sender.

        `secret` is the account's, or the order's; `now` is in seconds since 1970.
        """


@runtime_checkable
class HasBalance(Protocol):
    """A provider that reports an account's balance."""

    def account(self, endpoint: str) -> Call:
        """The request that asks for the balance; free."""

    def balance(self, reply: Reply) -> Decimal | Refused:
        """The balance in USD."""


Provider = Embedded | Installed | Remote


def is_task(value: object) -> TypeGuard[str]:
    """Whether a value can be a task's id: a text that is fit for a URL and a line of a log."""
    return isinstance(value, str) and re.fullmatch(_TASK, value) is not None


# Defaults, to be assigned in a provider's class body.


def bearer_token(_: object, key: str) -> Mapping[str, str]:
    """`credentials` for an API that takes the key as a bearer token."""
    return {"authorization": f"Bearer {key}"}


def no_upload(_: object, reference: Reference, endpoint: str) -> None:
    """`upload` for an API that takes references inside the order."""
    del reference, endpoint


def never_uploaded(_: object, reply: Reply) -> Refused:
    """`uploaded` for an API that takes references inside the order."""
    return Refused(Refusal.FAILED, f"HTTP {reply.status}")


class HasClaim(Protocol):
    """An object that knows how to ask for a task."""

    def claim(self, task: str, endpoint: str) -> Ticket:
        """The ticket of an order that is known by its task's id alone."""


def by_task(provider: HasClaim, ticket: Ticket, endpoint: str) -> Call:
    """`inquiry` for an API that takes the task's id; URLs in its replies are ignored."""
    return Call("GET", provider.claim(ticket.task, endpoint).poll)
