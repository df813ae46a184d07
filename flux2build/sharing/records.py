"""Receipts and claims, and their JSON.

They do not contain persons, paths of a machine or keys, only facts that a lock in git shows, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from msgspec import Meta, MsgspecError, Struct, ValidationError, field, json, to_builtins

from flux2build.digest import Digest, Json, short
from flux2build.errors import Problem
from flux2build.model import Order, Output, Receipt, payload
from flux2build.storage.store import DamagedError

VERSION: Final = 1
"""The version of both; a record of a newer version never counts as absent."""

Sha256 = Annotated[Digest, Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]


class RecordError(DamagedError):
    """The receipt or the claim of an order cannot be read."""

    def __init__(self, what: str, order: Digest, message: str, hint: str) -> None:
        super().__init__(message.format(what, short(order)), rows=(("order", order),), hint=hint)
        self.what, self.order = what, order


class NewerError(RecordError):
    """The record may be sound, but only a newer flux2build can read it."""


class SharedClaim(Struct, frozen=True, kw_only=True):
    """The attempt that is buying an order now, with its ticket as soon as there is one."""

    order: Sha256
    attempt: str
    account: str
    """A fingerprint that tells accounts apart; never the key."""
    provider: str
    model: str
    payload: Sha256
    """The digest of the request: model, prompt and parameters."""
    at: str
    """UTC in ISO 8601."""
    task: str = ""
    """The provider's id of the order; empty until it has one."""
    poll: str = ""
    """The URL at which the provider reports on it."""
    cost: Decimal | None = None
    """USD as reported at submission."""
    expected: Mapping[str, int | str] = field(default_factory=dict)
    """The facts that the picture is compared with, as in the ledger."""

    def __post_init__(self) -> None:
        _require_amount(self.cost)

    @property
    def age(self) -> float:
        """The age of the claim in seconds; clocks differ a little."""
        try:
            return (datetime.now(UTC) - datetime.fromisoformat(self.at)).total_seconds()
        except (ValueError, TypeError):
            return 0

    @property
    def old(self) -> bool:
        """Whether the claim is so old that its machine must have left it behind."""
        return self.age > _OLD


class SharedReceipt(Struct, frozen=True, kw_only=True):
    """The result of a paid order: the facts of its row in the lock."""

    order: Sha256
    payload: Sha256
    """The digest of the request: model, prompt and parameters."""
    model: str
    params: Mapping[str, Any]
    inputs: tuple[Sha256, ...]
    take: int
    output: Sha256
    bytes: int
    width: int
    height: int
    format: str
    receipt: Receipt

    def __post_init__(self) -> None:
        _require_amount(self.receipt.cost)

    def answers(self, order: Order) -> bool:
        """Whether this is the receipt of an order, or of another order for the same picture."""
        own = Order(self.model, order.prompt, self.params, self.inputs, self.take)
        return (
            self.order == own.digest
            and self.order in order.names
            and self.payload == payload(self.model, order.prompt, self.params)
        )


def receipt_of(order: Order, output: Output, receipt: Receipt) -> SharedReceipt:
    """The receipt that is shared, from an order, its output and the receipt in the lock."""
    return SharedReceipt(
        order=order.digest,
        payload=payload(order.model, order.prompt, order.params),
        model=order.model,
        params=order.params,
        inputs=order.inputs,
        take=order.take,
        output=output.sha256,
        bytes=output.bytes,
        width=output.width,
        height=output.height,
        format=output.format,
        receipt=receipt,
    )


class _Versioned(Struct):
    version: int


Record = TypeVar("Record", SharedClaim, SharedReceipt)

_NAME: Final = 8

_OLD: Final = 1200
"""Seconds after which a claim counts as left behind; clocks differ, but not by that."""

_MEND: Final[Mapping[str, str]] = {
    "receipt": "`flux2build store push` replaces it, where a lock has its picture; otherwise ",
    "claim": "see whether another machine buys it; if none does, ",
}

_WHAT: Final[Mapping[type[Struct], str]] = {SharedClaim: "claim", SharedReceipt: "receipt"}

# msgspec learns the types here, at import: two threads that learn one at once crash it.
_VERSIONED: Final = json.Decoder(_Versioned)
_DECODERS: Final[Mapping[type[Struct], json.Decoder[Any]]] = {
    SharedClaim: json.Decoder(SharedClaim),
    SharedReceipt: json.Decoder(SharedReceipt),
}


def to_json(record: SharedClaim | SharedReceipt) -> bytes:
    """A record as the store's JSON."""
    facts: dict[str, Json] = to_builtins(record)
    return json.encode({"version": VERSION, **facts}, order="sorted")


def from_json(data: bytes, kind: type[Record], order: Digest) -> Record:
    """The record of an order, from the store's JSON.

    Raises:
        DamagedError: it is not one, or it is another order's.
        NewerError: a newer flux2build wrote it.
    """
    what = _WHAT[kind]
    try:
        if (version := _VERSIONED.decode(data).version) > VERSION:
            hint = f"its version is {version}, this flux2build reads {VERSION}: update it"
            raise NewerError(what, order, "a newer flux2build wrote the {} of order `{}`", hint)
        record: Record = _DECODERS[kind].decode(data)
    except (MsgspecError, RecursionError) as error:
        raise damaged(kind, order) from error
    if record.order != order:
        raise damaged(kind, order)
    return record


def damaged(kind: type[Record], order: Digest) -> RecordError:
    """The error about a value that is not the record of its order."""
    what = _WHAT[kind]
    message = "the team's store holds a damaged {} of order `{}`"
    return RecordError(what, order, message, f"{_MEND[what]}{settled(name_of(order))}")


def left_behind(claim: SharedClaim) -> Problem:
    """The problem of an old claim without a receipt and without a ticket."""
    name = claim.attempt[:_NAME]
    return Problem(
        f"another machine of the team has claimed order `{name}`, and nothing came of it",
        rows=(("claimed", f"{claim.at}, {claim.provider}/{claim.model}"),),
        hint=settled(name),
    )


def name_of(order: Digest) -> str:
    """A name for people of an order whose attempts cannot be read."""
    return order.removeprefix("sha256:")[:_NAME]


def settled(name: str) -> str:
    """The hint by which a person settles an order that another machine may have bought."""
    return (
        f"look it up at the provider, then `flux2build orders adopt {name} TASK`, "
        f"`flux2build orders resubmit {name}` if it was not bought, or "
        f"`flux2build orders write-off {name}`"
    )


def _require_amount(cost: Decimal | None) -> None:
    if cost is not None and not (cost.is_finite() and cost >= 0):
        raise ValidationError("not an amount")
