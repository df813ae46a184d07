"""What can be said of an order, one fact at a time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from flux2build.digest import Digest
from flux2build.model import Receipt

WRITTEN_OFF: Final = "written-off"
"""The refusal of an attempt that a person gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """An order is about to be sent; the worst it may cost is set aside."""

    order: Digest
    attempt: str
    at: str
    """UTC in ISO 8601, only to be shown."""
    provider: str
    model: str
    asset: str
    reserve: Decimal
    payload: Digest
    """Of the request's exact body."""
    project: str = ""
    account: str = ""
    """A fingerprint that tells accounts apart; never the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticketed:
    """The server took the order and gave a claim check."""

    order: Digest
    attempt: str
    at: str
    task: str
    poll: str
    cost: Decimal | None = None
    """USD as reported at submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The picture is in the store."""

    order: Digest
    output: Digest
    receipt: Receipt
    attempt: str = ""
    """Empty where nothing was bought: an embedded provider drew it."""
    at: str = ""
    project: str = ""
    asset: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Something else than was ordered arrived; its bytes are in the store, and a person decides."""

    order: Digest
    attempt: str
    at: str
    output: Digest
    receipt: Receipt
    message: str
    """What is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """The order certainly came to nothing, or a person wrote it off."""

    order: Digest
    attempt: str
    at: str
    refusal: str
    message: str
    charged: bool = False
    """True where it may have been charged all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """An entry of a newer flux2build, kept word for word."""

    kind: str
    schema: int
    text: str


Entry = Intended | Ticketed | Delivered | Kept | Voided | Foreign
