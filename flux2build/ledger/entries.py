"""The entries of the ledger: each states one fact about an attempt to buy an order."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from msgspec import Struct, field

from flux2build.digest import Digest, Json
from flux2build.model import Receipt

WRITTEN_OFF: Final = "written-off"
"""The refusal of an attempt that a person gave up."""

RESUBMITTED: Final = "resubmitted"
"""The refusal of a delivered attempt whose picture is lost, and may be bought again."""

LOST: Final = "lost"
"""The refusal of an attempt that was paid for, and can no longer be collected."""

EXPECTED: Final = ("width", "height", "format", "seed")
"""The parameters of an order that its picture is compared with."""

REBUILT: Final = "rebuilt"
"""The account of an attempt of which only its existence is known."""
UNKNOWN: Final = "unknown"
"""The asset, provider and model in such an entry where they are unknown."""


def expected(params: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters of an order that its picture is compared with, as far as it has them."""
    return {name: params[name] for name in EXPECTED if name in params}


class Intended(Struct, frozen=True, kw_only=True):
    """An order is about to be sent; the worst it may cost is set aside."""

    order: Digest
    attempt: str
    at: str
    """UTC in ISO 8601, for people; only tickets are ordered by it."""
    provider: str
    model: str
    asset: str
    reserve: Decimal
    payload: Digest
    """The digest of the request: model, prompt and parameters."""
    project: str = ""
    account: str = ""
    """A fingerprint that tells accounts apart; never the key."""
    expected: Mapping[str, Json] = field(default_factory=dict)
    """The `EXPECTED` parameters, as far as the order has them; 0.1.0 did not note them."""


class Ticketed(Struct, frozen=True, kw_only=True):
    """The server accepted the order and gave a claim check."""

    order: Digest
    attempt: str
    at: str
    task: str
    poll: str
    cost: Decimal | None = None
    """USD as reported at submission."""
    said: str = ""
    """The reason why the last try to collect it failed, with the server's message."""


class Delivered(Struct, frozen=True, kw_only=True):
    """The picture is in the store."""

    order: Digest
    output: Digest
    receipt: Receipt
    attempt: str = ""
    """Empty if nothing was bought, as an embedded provider drew the picture."""
    at: str = ""
    project: str = ""
    asset: str = ""
    model: str = ""


class Kept(Struct, frozen=True, kw_only=True):
    """The picture differs from its order; its bytes are in the store until a person decides."""

    order: Digest
    attempt: str
    at: str
    output: Digest
    receipt: Receipt
    message: str
    """How the picture differs from its order."""


class Voided(Struct, frozen=True, kw_only=True):
    """The order certainly failed, or a person settled it."""

    order: Digest
    attempt: str
    at: str
    refusal: str
    message: str
    charged: bool = False
    """True if it may have been charged all the same."""


class Foreign(Struct, frozen=True, kw_only=True):
    """An entry of a newer flux2build, kept word for word."""

    kind: str
    schema: int
    text: str


Entry = Intended | Ticketed | Delivered | Kept | Voided | Foreign
