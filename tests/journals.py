"""Entries of the ledger, as builds write them, and the user's journal."""

from __future__ import annotations

from decimal import Decimal

from flux2build.digest import Digest, of_bytes
from flux2build.ledger import Delivered, Entry, Intended, Kept, Ticketed, Voided
from flux2build.model import Receipt
from flux2build.session.home import user_journal
from flux2build.storage.disk import home
from flux2build.storage.store import Store


def wrote(*entries: Entry) -> None:
    """Append entries to the user's journal."""
    journal = user_journal()
    for entry in entries:
        journal.append(entry)


def kept_bytes(data: bytes) -> Digest:
    """Put bytes into the user's store."""
    return Store(home() / "store").put(data)


def intended(
    attempt: str,
    *,
    asset: str = "icon",
    provider: str = "bfl",
    model: str = "flux-2-pro",
    project: str = "",
    month: str = "2026-11",
    reserve: str = "0.03",
) -> Intended:
    """An order that is about to be sent."""
    return Intended(
        order=of_bytes(attempt.encode()),
        attempt=attempt,
        at=f"{month}-02T10:00:00+00:00",
        provider=provider,
        model=model,
        asset=asset,
        reserve=Decimal(reserve),
        payload=of_bytes(b""),
        project=project,
    )


def ticketed(sent: Intended, cost: str | None = None) -> Ticketed:
    """The claim check of an order."""
    return Ticketed(
        order=sent.order,
        attempt=sent.attempt,
        at=sent.at,
        task=f"task-{sent.attempt}",
        poll="https://api.bfl.ai/v1/get_result?id=1",
        cost=None if cost is None else Decimal(cost),
    )


def receipt(sent: Intended, cost: str | None, source: str) -> Receipt:
    """The proof of an order."""
    paid = None if cost is None else Decimal(cost)
    return Receipt(provider=sent.provider, task="", cost=paid, cost_source=source)


def delivered(sent: Intended, cost: str | None = "0.03", source: str = "settled") -> Delivered:
    """The delivery of an order."""
    return Delivered(
        order=sent.order,
        attempt=sent.attempt,
        output=of_bytes(b"picture"),
        receipt=receipt(sent, cost, source),
        at=sent.at,
        project=sent.project,
        asset=sent.asset,
        model=sent.model,
    )


def kept(sent: Intended, output: Digest) -> Kept:
    """The delivery of something else than what was ordered."""
    return Kept(
        order=sent.order,
        attempt=sent.attempt,
        at=sent.at,
        output=output,
        receipt=receipt(sent, "0.03", "settled"),
        message="it is 64x64 pixels, 128x96 were ordered",
    )


def voided(sent: Intended, *, charged: bool) -> Voided:
    """The end of an order that came to nothing."""
    return Voided(
        order=sent.order,
        attempt=sent.attempt,
        at=sent.at,
        refusal="failed",
        message="the server gave up",
        charged=charged,
    )
