"""Keeps pictures that cost nothing, in the store and in the ledger."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from flux2build.ledger import Delivered
from flux2build.ledger.journal import Journal
from flux2build.model import Bought, Order, Receipt
from flux2build.storage.store import Store


def keep(data: bytes, order: Order, receipt: Receipt, store: Store, journal: Journal) -> Bought:
    """Keep a picture that was made on this machine; its receipt says that it was free.

    It can be made again, so the ledger need not be on the disk before the build goes on.
    """
    receipt = replace(receipt, cost=Decimal(0), cost_source="free")
    bought = Bought(store.put(data), receipt)
    delivered = Delivered(order=order.digest, output=bought.digest, receipt=receipt)
    journal.append(delivered, durable=False)
    return bought
